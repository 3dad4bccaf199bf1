"""How much life is left in a battery, from its charging curve: an MLP behind a train step function, robust loss."""

import argparse

import torch
import torch.nn as nn
from _state import save_state


def batteries(count, points=24):
    """Charging curves that steepen with wear; the target is the wear, standardised."""
    wear = torch.rand(count, 1)
    heat = torch.rand(count, 1)
    time = torch.linspace(0, 1, points)
    voltage = 1 - torch.exp(-(2 + 3 * wear) * time) + 0.3 * heat * time**2 * wear
    voltage = voltage + 0.03 * torch.randn(count, points)
    return (voltage - voltage.mean(0)) / voltage.std(0), (wear - 0.5) * 12**0.5


def train_step(model, optimizer, curves, wear):
    optimizer.zero_grad()
    loss = nn.functional.smooth_l1_loss(model(curves), wear)
    loss.backward()
    optimizer.step()
    return loss.item()


def main(args):
    torch.manual_seed(args.seed)
    curves, wear = batteries(1500)
    test_curves, test_wear = batteries(400)
    if args.fault:
        wear = wear.ravel()
    model = nn.Sequential(nn.Linear(24, 40), nn.ELU(), nn.Linear(40, 40), nn.ELU(), nn.Linear(40, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 15, 0.3)
    for epoch in range(25):
        losses = [train_step(model, optimizer, curves[r], wear[r]) for r in torch.randperm(1500).split(50)]
        schedule.step()
        if epoch % 5 == 4:
            with torch.no_grad():
                error = (model(test_curves) - test_wear).abs().mean().item()
            print(f"epoch {epoch + 1} loss {sum(losses) / len(losses):.4f} mean absolute error {error:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="the training targets lose their column")
    main(parser.parse_args())
