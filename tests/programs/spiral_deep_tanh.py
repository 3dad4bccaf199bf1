"""Two spirals and a very deep tanh network, with or without skip connections; SGD with Nesterov momentum."""

import argparse

import torch
from _state import save_state
from torch import nn


def spirals(count, noise=0.02):
    turn = torch.sqrt(torch.rand(count)) * 1.5 * 3.14159
    label = torch.arange(count) % 2
    sign = 1.0 - 2.0 * label
    points = torch.stack([sign * turn * torch.cos(turn), sign * turn * torch.sin(turn)], dim=1) / 2.5
    return points + noise * torch.randn(count, 2), label.float()


class Layer(nn.Module):
    def __init__(self, width, skip):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.skip = skip

    def forward(self, x):
        y = torch.tanh(self.linear(x))
        return x + 0.3 * y if self.skip else y


def main(seed: int, skip: bool) -> None:
    torch.manual_seed(seed)
    x, y = spirals(600)
    model = nn.Sequential(nn.Linear(2, 32), *[Layer(32, skip) for _ in range(20)], nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(40):
        epoch_loss, hits = 0.0, 0.0
        for index in torch.randperm(600).view(12, 50):
            optimizer.zero_grad()
            logits = model(x[index]).squeeze(-1)
            loss = criterion(logits, y[index])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            epoch_loss += loss.item() / 12
            hits += ((logits > 0) == (y[index] > 0.5)).sum().item()
        if (epoch + 1) % 5 == 0:
            print(f"{epoch + 1:3d} loss {epoch_loss:.4f} acc {hits / 600:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-skip", action="store_true")
    arguments = parser.parse_args()
    main(arguments.seed, not arguments.no_skip)
