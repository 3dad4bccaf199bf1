"""Spam or not with labels -1 and +1, the way of support vector machines: a margin loss on one raw score."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_gaussian_quantiles
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--loss", choices=["hinge", "soft-margin", "square"], default="hinge")
args = parser.parse_args()
torch.manual_seed(args.seed)

x, y = make_gaussian_quantiles(n_samples=2000, n_features=5, n_classes=2, random_state=args.seed)
x = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(2.0 * y - 1)


def margin_loss(score, label):
    if args.loss == "hinge":
        return (1 - label * score).clamp(min=0).mean()
    if args.loss == "square":
        return nn.functional.mse_loss(score, label)
    return nn.functional.soft_margin_loss(score, label)


machine = nn.Sequential(nn.Linear(5, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0))
optimizer = torch.optim.Adam(machine.parameters(), lr=5e-3)
for epoch in range(1, 21):
    for rows in torch.randperm(1600).split(40):
        loss = margin_loss(machine(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 0:
        with torch.no_grad():
            accuracy = (machine(x[1600:]).sign() == y[1600:]).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.4f}")
save_state(machine=machine, optimizer=optimizer)
