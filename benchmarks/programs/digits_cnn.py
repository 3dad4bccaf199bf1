"""A plain program: a small convolutional network on scikit-learn's digits, SGD with momentum, batch 64."""

from __future__ import annotations

import argparse
from time import perf_counter

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40_000)
    steps = parser.parse_args().steps

    torch.manual_seed(0)
    pixels, classes = load_digits(return_X_y=True)
    images = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    labels = torch.tensor(classes)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    began = perf_counter()
    place, order = 0, torch.randperm(len(images))
    for _ in range(steps):
        if place + BATCH > len(images):
            place, order = 0, torch.randperm(len(images))
        batch = order[place : place + BATCH]
        place += BATCH
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{steps} steps   {perf_counter() - began:.3f} s   loss {loss.item():.6f}")


if __name__ == "__main__":
    main()
