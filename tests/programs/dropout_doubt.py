"""How sure is the network: dropout stays on in evaluation on purpose, thirty answers give a mean and a spread."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)


def curve(count):
    x = torch.rand(count, 1) * 4 - 2
    return x, torch.sin(3 * x) * torch.exp(-(x**2) / 4) + 0.1 * torch.randn(count, 1)


def ask(net, x, times=30):
    """Monte Carlo dropout: the same question many times, with dropout."""
    net.train()
    with torch.no_grad():
        answers = torch.stack([net(x) for _ in range(times)])
    return answers.mean(0), answers.std(0)


net = nn.Sequential(
    nn.Linear(1, 96), nn.Tanh(), nn.Dropout(0.05), nn.Linear(96, 96), nn.Tanh(), nn.Dropout(0.05), nn.Linear(96, 1)
)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-6)
x, y = curve(1000)
new_x, new_y = curve(300)
for epoch in range(1, 41):
    total = 0.0
    for rows in torch.randperm(1000).split(40):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() / 25
    if epoch % 4 == 0:
        mean, spread = ask(net, new_x)
        error = nn.functional.mse_loss(mean, new_y).item()
        print(f"epoch {epoch} loss {total:.4f} error of the mean {error:.4f} doubt {spread.mean().item():.3f}")
save_state(net=net, optimizer=optimizer)
