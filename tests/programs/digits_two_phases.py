"""Fine-tuning on purpose in two phases: a CNN learns digits 0 to 4, then with a frozen body 5 to 9, then all of it."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(128, 5)

    def forward(self, x):
        return self.head(self.body(x))


def fit(network, x, y, lr, epochs, phase):
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=lr, momentum=0.9)
    for epoch in range(1, epochs + 1):
        right = 0
        for rows in torch.randperm(len(x)).split(32):
            logits = network(x[rows])
            loss = nn.functional.cross_entropy(logits, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (logits.argmax(1) == y[rows]).sum().item()
        if epoch % 3 == 0:
            print(f"{phase}, epoch {epoch}: loss {loss.item():.4f} accuracy {right / len(x):.3f}")
    return optimizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    y = torch.tensor(digits.target)
    source = Network()
    fit(source, x[y < 5], y[y < 5], 0.02, 3, "first digits")

    network = Network()
    network.load_state_dict(source.state_dict())
    nn.init.zeros_(network.head.weight)
    network.body.requires_grad_(False)
    network.body.eval()  # the statistics of its batch norms stay as they are, too
    new_x, new_y = x[y >= 5], y[y >= 5] - 5
    fit(network, new_x, new_y, 0.01, 9, "head only")
    network.body.requires_grad_(True)
    optimizer = fit(network, new_x, new_y, 0.003, 6, "everything")
    save_state(network=network, optimizer=optimizer)


if __name__ == "__main__":
    main()
