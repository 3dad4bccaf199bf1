"""Nielsen's deep network on 1,000 images of MNIST, as in chapter 5 of "Neural Networks and Deep Learning".

Sigmoid units throughout, weights ~ N(0, 1/inputs) and biases ~ N(0, 1), cross-entropy summed over the ten outputs,
plain gradient descent on all 1,000 images at once with eta 0.1 and lambda 5. The book shows how much slower the first
layers learn than the last. What it does not show: with four hidden layers the network never learns at all. The loss
comes to rest at 3.246, which is what answering with the share of each digit costs.

``unstuck run -- python examples/nielsen.py`` says stuck. The causes it names are a flat saddle with steps far smaller
than the stability limit, and the weight decay (lambda/n is 0.005 here: 5 was meant for 50,000 images). The vanishing
gradient is real, and not what holds the network: ``--eta 1 --lmbda 0`` learns with the same depth, units and weights.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import torch
from data import load_mnist
from torch import Tensor, nn

IMAGES = 1000


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4, help="hidden layers of 30 units (the book: 1 to 4)")
    parser.add_argument("--eta", type=float, default=0.1, help="learning rate")
    parser.add_argument("--lmbda", type=float, default=5.0, help="weight decay times the number of images")
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    images, labels = load_mnist()
    images, labels = images[:IMAGES], labels[:IMAGES]
    targets = nn.functional.one_hot(labels, 10).float()

    model = build_model(args.layers)
    weights = [p for p in model.parameters() if p.ndim == 2]
    biases = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": args.lmbda / IMAGES}, {"params": biases, "weight_decay": 0.0}], lr=args.eta
    )

    for epoch in range(1, args.epochs + 1):
        outputs = model(images)
        loss = cost(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch == 1 or epoch % 10 == 0:
            accuracy = (outputs.argmax(1) == labels).float().mean()
            print(f"epoch {epoch:4d}   loss {loss:.4f}   accuracy {accuracy:6.1%}")


if __name__ == "__main__":
    main()
