"""A siamese network learns when two digits are the same: contrastive loss on Euclidean distances, Adam."""

import argparse

import torch
import torch.nn as nn
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--eps", type=float, default=1e-6, help="added under the square root")
args = parser.parse_args()
torch.manual_seed(args.seed)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
tower = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
optimizer = torch.optim.Adam(tower.parameters(), lr=1e-3)


def distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum(1) + args.eps)


def contrastive(a, b, same, margin=1.0):
    d = distance(a, b)
    return (same * d**2 + (1 - same) * torch.relu(margin - d) ** 2).mean()


for step in range(1, 1501):
    left = torch.randint(0, 1797, (128,))
    right = torch.randint(0, 1797, (128,))
    right[0] = left[0]  # a picture is surely the same as itself
    optimizer.zero_grad()
    loss = contrastive(tower(x[left]), tower(x[right]), (y[left] == y[right]).float())
    loss.backward()
    optimizer.step()
    if step % 150 == 0:
        with torch.no_grad():
            code = tower(x)
            table = torch.cdist(code, code)
            table.fill_diagonal_(float("inf"))
            accuracy = (y[table.argmin(1)] == y).float().mean()
        print(f"step {step} contrastive loss {loss.item():.5f} nearest-neighbour accuracy {accuracy.item():.4f}")
save_state(tower=tower, optimizer=optimizer)
