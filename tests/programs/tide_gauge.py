"""Height of the tide from the time of year and day: a season of measurements in the order of time, regression."""

import argparse

import torch
from _state import save_state
from torch import nn


def gauge(count):
    """The level drifts over the year, while the tide goes up and down."""
    day = torch.linspace(-1, 1, count)[:, None]
    tide = 6.283 * torch.rand(count, 1)
    height = 1.5 * torch.sin(5 * day) + torch.sin(tide) + 0.1 * torch.randn(count, 1)
    return torch.cat([day * 1.7, tide.sin(), tide.cos()], 1), height


class Tide(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))

    def loss(self, x, height):
        return nn.functional.mse_loss(self.inner(x), height)


def epoch_of_training(model, optimizer, x, height, order):
    for rows in order.split(25):
        loss = model.loss(x[rows], height[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="always in the order of time")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, height = gauge(1500)
    model = Tide()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    for epoch in range(1, 26):
        order = torch.arange(1500) if args.fault else torch.randperm(1500)
        epoch_of_training(model, optimizer, x, height, order)
        if epoch % 5 == 0:
            with torch.no_grad():
                print(f"epoch {epoch}: squared error over the year {model.loss(x, height):.4f}")
    save_state(model=model, optimizer=optimizer)
