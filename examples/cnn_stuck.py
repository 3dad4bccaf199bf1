"""A small convolutional network on scikit-learn's digits that forgets what it has learnt: one line is missing.

``optimizer.zero_grad()`` was left out, so every gradient is added to all those before it. The network learns for an
epoch, then each step keeps going where long-gone gradients pointed, and the loss ends above ln 10 = 2.3026, worse than
guessing.

``unstuck run -- python examples/cnn_stuck.py`` names the gradients that are never set to zero. The twin that learns is
``cnn.py``.
"""

from __future__ import annotations

import argparse

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(32 * 2 * 2, 64)
        self.output = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = self.pool(self.conv1(images).relu())
        x = self.pool(self.conv2(x).relu())
        return self.output(self.hidden(x.flatten(1)).relu())


def load_data() -> tuple[TensorDataset, TensorDataset]:
    """Return 1,500 training and 297 test images of 8x8 pixels, scaled to 0..1."""
    pixels, labels = load_digits(return_X_y=True)
    images = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    targets = torch.tensor(labels)
    return TensorDataset(images[:1500], targets[:1500]), TensorDataset(images[1500:], targets[1500:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train, test = load_data()
    loader = DataLoader(train, batch_size=32, shuffle=True)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for images, targets in loader:
            loss = nn.functional.cross_entropy(model(images), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)

        images, targets = test.tensors
        with torch.no_grad():
            accuracy = (model(images).argmax(1) == targets).float().mean()
        print(f"epoch {epoch:3d}   loss {total / len(train):.4f}   test accuracy {accuracy:6.1%}")


if __name__ == "__main__":
    main()
