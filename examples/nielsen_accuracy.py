"""Nielsen's deep network in the book's own setting: 50,000 images of MNIST in batches of 10, accuracy on 10,000 others.

Sigmoid units throughout, weights ~ N(0, 1/inputs) and biases ~ N(0, 1), cross-entropy summed over the ten outputs and
averaged over the batch, gradient descent with eta 0.1 and lambda 5, that is weight decay 0.0001, for 30 epochs.
Chapter 5 of "Neural Networks and Deep Learning" reaches 96.5 to 96.9 % with one to three hidden layers; a fourth brings
nothing, and costs epochs at the start in which nothing is learned.

``unstuck run -- python examples/nielsen_accuracy.py`` says what the record of such a run shows. What makes the
accuracy of the validation images come sooner is raced for by
``unstuck fix --metric "val accuracy" --target 0.96 -- python examples/nielsen_accuracy.py``.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import torch
from data import load_mnist
from torch import Tensor, nn

TRAINING, BATCH = 50_000, 10


def build_model(hidden_layers: int, width: int = 30) -> nn.Sequential:
    """Return the network; its last sigmoid is part of the loss."""
    sizes = [784, *[width] * hidden_layers, 10]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        linear = nn.Linear(inputs, outputs)
        nn.init.normal_(linear.weight, std=inputs**-0.5)
        nn.init.normal_(linear.bias)
        layers += [linear, nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


def cost(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy, summed over the outputs and averaged over the images."""
    return nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="sum") / len(outputs)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest output is that of their digit."""
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).float().mean().item()
    model.train()
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4, help="hidden layers of 30 units (the book: 1 to 4)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--eta", type=float, default=0.1, help="learning rate")
    parser.add_argument("--lmbda", type=float, default=5.0, help="weight decay times the number of images")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    images, labels = load_mnist()
    targets = nn.functional.one_hot(labels, 10).float()

    model = build_model(args.layers)
    weights = [p for p in model.parameters() if p.ndim == 2]
    biases = [p for p in model.parameters() if p.ndim == 1]
    decay = args.lmbda / TRAINING
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}], lr=args.eta
    )

    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for batch in torch.randperm(TRAINING).split(BATCH):
            loss = cost(model(images[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        right = accuracy(model, images[TRAINING:], labels[TRAINING:])
        print(f"epoch {epoch:3d}   loss {total / TRAINING:.4f}   val accuracy {right:6.2%}")


if __name__ == "__main__":
    main()
