"""An MNIST-like problem: ten glyphs of 28 x 28 with shifts and noise, grey values as bytes; an MLP and SGD."""

import argparse

import numpy as np
import torch
from _state import save_state
from torch import nn


def glyphs(count, rng):
    """Return byte pictures (count, 28, 28) of ten random glyphs, shifted by up to two pixels, and their labels."""
    coarse = rng.random((10, 7, 7)) > 0.6
    prototypes = np.kron(coarse, np.ones((4, 4))) * 200
    labels = rng.integers(0, 10, count)
    shifts = rng.integers(-2, 3, (count, 2))
    pictures = np.stack([np.roll(prototypes[k], tuple(s), (0, 1)) for k, s in zip(labels, shifts, strict=False)])
    return (pictures + rng.normal(0, 40, pictures.shape)).clip(0, 255).astype(np.uint8), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-scaling", action="store_true")
    parser.add_argument("--weight-std", type=float, default=None)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    pictures, labels = glyphs(4000, np.random.default_rng(args.seed))
    x = torch.from_numpy(pictures).float().flatten(1)
    if not args.no_scaling:
        x = (x / 255 - 0.35) / 0.35
    y = torch.from_numpy(labels)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    if args.weight_std is not None:
        for module in model.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, mean=0.0, std=args.weight_std)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(6):
        running_loss, correct = 0.0, 0
        for index in torch.randperm(len(x)).split(50):
            outputs = model(x[index])
            loss = criterion(outputs, y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            correct += (outputs.argmax(1) == y[index]).sum().item()
        print(f"Epoch [{epoch + 1}/6], Loss: {running_loss / 80:.4f}, Accuracy: {100 * correct / 4000:.2f}%")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
