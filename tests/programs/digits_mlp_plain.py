"""Handwritten digits, a plain script: two hidden ReLU layers, SGD, batches cut by hand."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--fault", choices=["step-too-large", "step-too-small", "gradients-not-zeroed"])
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
lr = {"step-too-large": 5.0, "step-too-small": 5e-4}.get(args.fault, 0.2)
optimizer = torch.optim.SGD(model.parameters(), lr=lr)

for epoch in range(args.epochs):
    total = 0.0
    for rows in train[torch.randperm(len(train))].split(64):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        if args.fault != "gradients-not-zeroed":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")

with torch.no_grad():
    accuracy = (model(x[test]).argmax(1) == y[test]).float().mean().item()
print(f"final loss {total / len(train):.4f}, test accuracy {accuracy:.3f}")
save_state(model=model, optimizer=optimizer)
