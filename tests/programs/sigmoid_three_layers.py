"""Three sigmoid layers with Glorot weights: the early gradients are small, and Adam learns the digits all the same."""

import argparse
import itertools

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
data, target = load_digits(return_X_y=True)
data, target = torch.tensor(data / 16, dtype=torch.float32) - 0.3, torch.tensor(target)
widths = [64, 60, 60, 60]
stack = []
for a, b in itertools.pairwise(widths):
    stack += [nn.Linear(a, b), nn.Sigmoid()]
model = nn.Sequential(*stack, nn.Linear(60, 10))
for module in model:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=2.0)
        nn.init.zeros_(module.bias)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(25):
    correct, summed = 0, 0.0
    for rows in torch.randperm(len(data)).split(64):
        output = model(data[rows])
        loss = nn.functional.cross_entropy(output, target[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        summed += loss.item() * len(rows)
        correct += (output.argmax(1) == target[rows]).sum().item()
    print(f"{epoch:2d} loss {summed / len(data):.4f} acc {correct / len(data):.4f}")
save_state(model=model, optimizer=optimizer)
