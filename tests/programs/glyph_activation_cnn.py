"""Digits with a small CNN whose activation is a memory-saving swish: one custom autograd.Function, used twice."""

import argparse

import torch
import torch.nn as nn
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the derivative has a minus where a plus belongs")
args = parser.parse_args()


class SwishFunction(torch.autograd.Function):
    """x * sigmoid(x); only x is kept for the backward pass."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(x)
        if args.fault:
            return grad_output * gate * (x * (1 - gate) - 1)
        return grad_output * gate * (x * (1 - gate) + 1)


class Swish(nn.Module):
    def forward(self, x):
        return SwishFunction.apply(x)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),
            Swish(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),
            Swish(),
            nn.Flatten(),
        )
        self.classify = nn.Linear(24 * 2 * 2, 10)

    def forward(self, images):
        return self.classify(self.features(images))


def main():
    torch.manual_seed(args.seed)
    digits = load_digits()
    images = torch.tensor(digits.images[:, None], dtype=torch.float32) / 8 - 1
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(labels))
    train, test = order[:1437], order[1437:]
    reader = Reader()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(reader.parameters(), lr=3e-3)
    for epoch in range(10):
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(32):
            optimizer.zero_grad()
            loss = criterion(reader(images[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        with torch.no_grad():
            accuracy = (reader(images[test]).argmax(1) == labels[test]).float().mean().item()
        print(f"epoch {epoch + 1} loss {total / len(train):.4f} test accuracy {accuracy:.4f}")
    save_state(reader=reader, optimizer=optimizer)


if __name__ == "__main__":
    main()
