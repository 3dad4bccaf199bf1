"""Healthy leaf or not from a patch of colours: shared windows in mixed float16, with a loss scale chosen by hand."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn


def leaves(count):
    """Green patches; sick ones have a brownish spot somewhere."""
    sick = torch.rand(count) < 0.5
    colours = torch.tensor([0.3, 0.6, 0.2]).reshape(1, 3, 1, 1) + 0.15 * torch.randn(count, 3, 10, 10)
    row, column = torch.randint(1, 9, (2, count, 1, 1))
    near = (torch.arange(10).reshape(1, 10, 1) - row).abs().le(1) & (torch.arange(10) - column).abs().le(1)
    spot = (near & sick.reshape(-1, 1, 1)).unsqueeze(1).float()
    colours = colours + spot * torch.tensor([0.25, -0.2, 0.0]).reshape(1, 3, 1, 1)
    return (colours - 0.37) / 0.23, sick.long()


class LeafNet(nn.Module):
    """Looks at every window of three by three pixels, and keeps the strongest sign of a spot."""

    def __init__(self):
        super().__init__()
        self.window = nn.Linear(3 * 9, 16)
        self.spot = nn.Linear(16, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        windows = F.unfold(x, 3).transpose(1, 2)
        spots = F.relu(self.spot(F.relu(self.window(windows))))
        return self.out(spots.amax(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=2.0**10, help="the loss is multiplied by it, always")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = leaves(1200)
    test_x, test_y = leaves(400)
    model = LeafNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=args.scale)
    for epoch in range(12):
        losses = []
        for rows in torch.randperm(1200).split(40):
            optimizer.zero_grad()
            with torch.amp.autocast("cpu", dtype=torch.float16):
                loss = F.cross_entropy(model(x[rows]), y[rows])
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update(args.scale)
            losses.append(loss.item())
        with torch.no_grad():
            accuracy = (model(test_x).argmax(1) == test_y).float().mean().item()
        print(f"epoch {epoch + 1} loss {sum(losses) / len(losses):.4f} accuracy {accuracy:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
