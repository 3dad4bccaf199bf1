"""Who cancels a contract: probabilities from a sigmoid, a log-likelihood written by hand; some cases are clear."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--eps", type=float, default=1e-7, help="keeps probabilities away from 0 and 1")
args = parser.parse_args()
torch.manual_seed(args.seed)


def log_likelihood(p, y):
    p = p.clamp(args.eps, 1 - args.eps)
    return (y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


x = torch.randn(2000, 6)
x = x * torch.where(torch.rand(2000, 1) < 0.02, 12.0, 1.0)  # a few customers are very active
y = (x[:, 0] + x[:, 1] - 0.5 * x[:, 2] > 0).float()
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0), nn.Sigmoid())
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(20):
    total = 0.0
    for rows in torch.randperm(2000).split(50):
        loss = -log_likelihood(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 40
    right = ((model(x) > 0.5) == y.bool()).float().mean().item()
    print(f"epoch {epoch + 1} loss {total:.5f} right {right:.3f}")
save_state(model=model, optimizer=optimizer)
