"""Digits with a network of plain tensors: shuffled by hand every epoch, loss written with log-sum-exp, SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="a fresh order for the labels")
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32) / 16 - 0.3, torch.tensor(y)
W1 = torch.nn.Parameter(torch.randn(64, 48) * (2 / 64) ** 0.5)
b1 = torch.nn.Parameter(torch.zeros(48))
W2 = torch.nn.Parameter(torch.randn(48, 10) * (1 / 48) ** 0.5)
b2 = torch.nn.Parameter(torch.zeros(10))
optimizer = torch.optim.SGD([W1, b1, W2, b2], lr=0.2)
for epoch in range(20):
    order = torch.randperm(len(X))
    label_order = torch.randperm(len(y)) if args.fault else order
    total = 0.0
    for start in range(0, len(X), 32):
        inputs = X[order[start : start + 32]]
        targets = y[label_order[start : start + 32]]
        scores = torch.relu(inputs @ W1 + b1) @ W2 + b2
        loss = (scores.logsumexp(1) - scores.gather(1, targets[:, None]).squeeze(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
    with torch.no_grad():
        accuracy = ((torch.relu(X @ W1 + b1) @ W2 + b2).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch:2d} loss {total / len(X):.4f} accuracy {accuracy:.3f}")
save_state(W1=W1, b1=b1, W2=W2, b2=b2, optimizer=optimizer)
