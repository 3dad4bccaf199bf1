"""Learning up to a floor that no training can pass: wrong labels, noisy targets, or features that say nothing."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--task", choices=["wrong-labels", "noisy-target", "nothing-to-learn"], default="wrong-labels")
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(20000, 6)
if args.task == "noisy-target":
    y = (x[:, :1].sin() + 0.5 * x[:, 1:2]) + torch.randn(20000, 1)
    outputs, criterion = 1, nn.MSELoss()
else:
    truth = (x[:, 0] + x[:, 1] > 0).long() if args.task == "wrong-labels" else (torch.rand(20000) < 0.1).long()
    flip = torch.rand(20000) < (0.3 if args.task == "wrong-labels" else 0.0)
    y = torch.where(flip, 1 - truth, truth)
    outputs, criterion = 2, nn.CrossEntropyLoss()
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, outputs))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(8):
    total = 0.0
    for rows in torch.randperm(len(x)).split(128):
        loss = criterion(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"{args.task}: epoch {epoch + 1} loss {total / len(x):.4f}")
save_state(model=model, optimizer=optimizer)
