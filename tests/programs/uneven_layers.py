"""A ten-class problem and an MLP whose layers may be given very different scales that cancel in the output; SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


def make_model(scales):
    sizes = [64, 64, 64, 64, 64]
    layers = []
    for inputs, outputs, scale in zip(sizes, sizes[1:], scales, strict=False):
        linear = nn.Linear(inputs, outputs)
        nn.init.kaiming_normal_(linear.weight)
        linear.weight.data *= scale
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scales", type=float, nargs=4, default=[1, 1, 1, 1])
    parser.add_argument("--lr", type=float, default=0.05)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    inputs, labels = load_digits(return_X_y=True)
    inputs, labels = torch.tensor(inputs / 8 - 1, dtype=torch.float32), torch.tensor(labels)
    model = make_model(args.scales)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for epoch in range(25):
        hits, losses = 0, 0.0
        for index in torch.randperm(1797).split(64):
            logits = model(inputs[index])
            loss = nn.functional.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            hits += (logits.argmax(1) == labels[index]).sum().item()
            losses += loss.item() * len(index)
        if epoch % 4 == 0:
            print(f"epoch {epoch}: loss {losses / 1797:.4f} accuracy {hits / 1797:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
