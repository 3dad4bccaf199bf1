"""What is in the picture and how big: one trunk, two heads, two losses; layer norm; evaluated after every epoch."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.LayerNorm(64), nn.ReLU())
        self.kind = nn.Linear(64, 3)
        self.size = nn.Linear(64, 1)

    def forward(self, pictures):
        shared = self.trunk(pictures)
        return {"kind": self.kind(shared), "size": self.size(shared).squeeze(1)}


def losses(output, kind, size):
    return {"kind": F.cross_entropy(output["kind"], kind), "size": 0.5 * F.mse_loss(output["size"], size)}


def pictures(count):
    grid = torch.arange(12.0) - 5.5
    kind, size = torch.randint(3, (count,)), torch.rand(count) * 2 - 1
    half = 3 + 1.5 * size[:, None, None]
    dy, dx = grid.abs()[None, :, None], grid.abs()[None, None, :]
    forms = torch.stack([(dy + dx < 1.2 * half), torch.maximum(dy, dx) < half, (dy < half) & (dx < 1)], 1).float()
    return forms[torch.arange(count), kind] + 0.2 * torch.randn(count, 12, 12), kind, size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, kind, size = pictures(1500)
    test_x, test_kind, test_size = pictures(300)
    model = TwoTasks()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(15):
        for rows in torch.randperm(1500).split(30):
            parts = losses(model(x[rows]), kind[rows], size[rows])
            loss = sum(parts.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            output = model(test_x)
        right = (output["kind"].argmax(1) == test_kind).float().mean().item()
        error = (output["size"] - test_size).abs().mean().item()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} kind {right:.3f} mean error of size {error:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
