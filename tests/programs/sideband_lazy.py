"""Modulation of a radio signal: the network builds its layers when it first sees a signal; RAdam."""

import argparse

import torch
from _state import save_state
from torch import nn


class LazyNet(nn.Module):
    """Layers are made at the first call, when the length of the signal is known."""

    def __init__(self, hidden, classes):
        super().__init__()
        self.hidden, self.classes = hidden, classes
        self.body = None
        self.scale = nn.Parameter(torch.ones(classes))

    def build(self, length):
        self.body = nn.Sequential(
            nn.Linear(length, self.hidden), nn.ReLU(),
            nn.Linear(self.hidden, self.hidden), nn.ReLU(),
            nn.Linear(self.hidden, self.classes),
        )  # fmt: skip

    def forward(self, signal):
        if self.body is None:
            self.build(signal.shape[1])
        return self.body(signal) * self.scale


def signals(count):
    t = torch.arange(40.0)
    kind = torch.randint(4, (count,))
    speed = torch.tensor([0.05, 0.1, 0.15, 0.2])[kind][:, None]
    wave = (1 + torch.cos(speed * t)) * torch.cos(0.7 * t + 0.5 * torch.randn(count, 1))
    return wave + 0.3 * torch.randn(count, 40), kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="make the optimizer before the first call")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, kind = signals(2000)
    net = LazyNet(48, 4)
    if not args.fault:
        net(x[:2])
    optimizer = torch.optim.RAdam(net.parameters(), lr=2e-3)
    for epoch in range(1, 13):
        right = 0
        for rows in torch.randperm(2000).split(40):
            logits = net(x[rows])
            loss = nn.functional.cross_entropy(logits, kind[rows])
            net.zero_grad()
            loss.backward()
            optimizer.step()
            right += (logits.argmax(1) == kind[rows]).sum().item()
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {right / 2000:.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
