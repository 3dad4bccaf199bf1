"""Handwritten digits with a small Trainer class, a Dataset, a DataLoader and Adam."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass
class Trainer:
    model: nn.Module
    optimizer: torch.optim.Optimizer
    criterion: nn.Module = field(default_factory=nn.CrossEntropyLoss)

    def train_one_epoch(self, loader: DataLoader) -> float:
        self.model.train()
        losses = []
        for inputs, targets in loader:
            losses.append(self.train_step(inputs, targets))
        return sum(losses) / len(losses)

    def train_step(self, inputs: Tensor, targets: Tensor) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.criterion(self.model(inputs), targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def accuracy(self, loader: DataLoader) -> float:
        self.model.eval()
        hits = [(self.model(inputs).argmax(1) == targets).float().mean().item() for inputs, targets in loader]
        return sum(hits) / len(hits)


class Net(nn.Module):
    def __init__(self, hidden: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.head = nn.Linear(hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    inputs, targets = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(inputs, dtype=torch.float32) / 16, torch.tensor(targets))
    train, valid = random_split(data, [1500, len(data) - 1500])
    train_loader, valid_loader = DataLoader(train, 32, shuffle=True), DataLoader(valid, 297)
    model = Net()
    trainer = Trainer(model, torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay))
    for epoch in range(args.epochs):
        loss = trainer.train_one_epoch(train_loader)
        print(f"[{epoch + 1:2d}/{args.epochs}] train loss {loss:.4f}  valid acc {trainer.accuracy(valid_loader):.3f}")
    save_state(model=model, optimizer=trainer.optimizer)


if __name__ == "__main__":
    main()
