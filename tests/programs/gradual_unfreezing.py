"""Gradual unfreezing: requires_grad switched midway and add_param_group for the layers that join later."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(inplace=True), nn.Linear(64, 32), nn.ReLU(inplace=True))
head = nn.Linear(32, 10)
body.requires_grad_(False)
optimizer = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
for epoch in range(12):
    if epoch == 4:
        body[2].requires_grad_(True)
        optimizer.add_param_group({"params": body[2].parameters(), "lr": 0.05})
    if epoch == 8:
        body[0].requires_grad_(True)
        optimizer.add_param_group({"params": body[0].parameters(), "lr": 0.02, "weight_decay": 1e-4})
    total = 0.0
    for rows in torch.randperm(len(x)).split(64):
        loss = nn.functional.cross_entropy(head(body(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch + 1} groups {len(optimizer.param_groups)} loss {total / 29:.4f}")
save_state(body=body, head=head, optimizer=optimizer)
