"""Ten sigmoid layers on scikit-learn's digits: a network that does not learn.

Each hidden layer shrinks the gradient that passes back through it: a sigmoid's slope is at most 1/4, and PyTorch's
default weights of a linear layer shrink it further. The first layers get next to none of it, so the network answers the
same for every image, and the loss stays at ln 10 = 2.3026, which is what guessing costs.

``unstuck run -- python examples/digits_stuck.py`` says stuck, and names the vanishing gradient.
The twin that learns is ``digits_healthy.py``.
"""

from __future__ import annotations

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load_data() -> tuple[TensorDataset, TensorDataset]:
    """Return 1,500 training and 297 test images of 8x8 pixels, scaled to 0..1."""
    pixels, labels = load_digits(return_X_y=True)
    images = torch.tensor(pixels, dtype=torch.float32) / 16
    targets = torch.tensor(labels)
    return TensorDataset(images[:1500], targets[:1500]), TensorDataset(images[1500:], targets[1500:])


def build_model(depth: int = 10, width: int = 30) -> nn.Sequential:
    """Return a network of ``depth`` linear layers with a sigmoid between each two."""
    layers: list[nn.Module] = [nn.Linear(64, width), nn.Sigmoid()]
    for _ in range(depth - 2):
        layers += [nn.Linear(width, width), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train, test = load_data()
    loader = DataLoader(train, args.batch_size, shuffle=True)
    model = build_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for images, targets in loader:
            loss = nn.functional.cross_entropy(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(images)

        images, targets = test.tensors
        with torch.no_grad():
            accuracy = (model(images).argmax(1) == targets).float().mean()
        print(f"epoch {epoch:3d}   loss {total / len(train):.4f}   test accuracy {accuracy:6.1%}")


if __name__ == "__main__":
    main()
