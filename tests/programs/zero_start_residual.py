"""Residual blocks whose last layer starts at zero, and a head that starts at zero: a start that is meant so."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(nn.functional.gelu(self.up(self.norm(x))))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    head = nn.Linear(64, 10)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model = nn.Sequential(*[Block(64) for _ in range(4)], nn.LayerNorm(64), head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
    for epoch in range(12):
        losses = torch.zeros(())
        for rows in torch.randperm(1797).split(64):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.detach() * len(rows)
        scheduler.step()
        print(f"epoch {epoch + 1} loss {losses / 1797:.4f} rate {scheduler.get_last_lr()[0]:.2e}")
    save_state(model=model, optimizer=optimizer, scheduler=scheduler)


if __name__ == "__main__":
    main()
