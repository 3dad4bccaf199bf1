"""A plain program: an MLP 784-128-128-10 on MNIST, SGD, batch 64. About half a millisecond a step: the hard case."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.data import load_mnist

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=150_000)
    steps = parser.parse_args().steps

    torch.manual_seed(0)
    images, labels = load_mnist()
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

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
