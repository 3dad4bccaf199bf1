"""Concentric rings in five dimensions; the hidden layers are held by the network in a list."""

import argparse

import torch
from _state import save_state
from torch import nn


class Rings(nn.Module):
    def __init__(self, registered):
        super().__init__()
        layers = [nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 8)]
        self.layers = nn.ModuleList(layers) if registered else layers
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x)


def data(count):
    x = torch.randn(count, 5)
    radius = x.norm(dim=1)
    return x, torch.bucketize(radius, torch.tensor([1.5, 2.1, 2.7]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="a plain Python list, which nn.Module does not look into")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = data(3000)
    model = Rings(not args.fault)
    print("parameters:", sum(p.numel() for p in model.parameters()))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(20):
        total = 0.0
        order = torch.randperm(len(x))
        for k in range(60):
            rows = order[k * 50 : (k + 1) * 50]
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 2:
            accuracy = (model(x).argmax(1) == y).float().mean().item()
            print(f"Epoch {epoch + 1}: mean loss {total / 60:.4f}, accuracy {accuracy:.3f}")
    tensors = {name: p.detach() for k, layer in enumerate(model.layers) for name, p in [(f"w{k}", layer.weight)]}
    save_state(model=model, optimizer=optimizer, **tensors)


if __name__ == "__main__":
    main()
