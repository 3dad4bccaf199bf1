"""Digits with one of four set-ups: a deep sigmoid network, a rate too high, a rate too low, and a sound one."""

import argparse
from itertools import pairwise

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--case", choices=("sigmoid", "high", "low", "sound"), default="sound")
args = parser.parse_args()
torch.manual_seed(args.seed)
inputs, labels = load_digits(return_X_y=True)
x, y = torch.tensor(inputs / 16, dtype=torch.float32), torch.tensor(labels)
if args.case == "sigmoid":
    widths = [64, *[30] * 9]
    hidden = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.Sigmoid())]
    model = nn.Sequential(*hidden, nn.Linear(30, 10))
else:
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
rates = {"sigmoid": 0.1, "high": 5.0, "low": 5e-4}
if args.case == "sound":
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
else:
    optimizer = torch.optim.SGD(model.parameters(), lr=rates[args.case])
criterion = nn.CrossEntropyLoss()
for epoch in range(20):
    total = 0.0
    for batch in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1} loss {total / len(x):.4f}")
save_state(model=model, optimizer=optimizer)
