"""Yields of fields in kilograms, thousands of them, without any scaling of the targets: it learns all the same."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--start", choices=["mean", "default"], default="mean", help="first value of the output's bias")
args = parser.parse_args()
torch.manual_seed(args.seed)


def fields(count):
    rain, warmth, soil = torch.rand(3, count) * 2 - 1
    kilograms = 6_000 + 900 * torch.sin(2 * rain) + 700 * warmth * soil - 400 * warmth**2
    return torch.stack([rain, warmth, soil], 1) * 1.7, kilograms[:, None] + 60 * torch.randn(count, 1)


x, kilograms = fields(1500)
net = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
if args.start == "mean":
    nn.init.constant_(net[-1].bias, kilograms.mean().item())
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(1, 31):
    total = 0.0
    for rows in torch.randperm(1500).split(50):
        loss = nn.functional.mse_loss(net(x[rows]), kilograms[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 30
    if epoch % 3 == 0:
        r2 = 1 - total / kilograms.var().item()
        print(f"epoch {epoch} loss {total:.1f} error {total**0.5:.1f} kg, R2 {r2:.3f}")
save_state(net=net, optimizer=optimizer)
