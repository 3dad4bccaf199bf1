"""Match the upper halves of digits to their lower halves: two towers, cosine over temperature, float16 autocast."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--softmax-in", choices=["float32", "float16"], default="float32")
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1
upper, lower = digits[:, :32], digits[:, 32:]


def tower():
    return nn.Sequential(nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, 24))


towers = nn.ModuleList([tower(), tower()])
optimizer = torch.optim.Adam(towers.parameters(), lr=2e-3)
for epoch in range(1, 17):
    total, right = 0.0, 0
    for rows in torch.randperm(1792).split(64):
        with torch.autocast("cpu", dtype=torch.float16):
            a, b = towers[0](upper[rows]), towers[1](lower[rows])
            similarity = nn.functional.normalize(a, dim=1) @ nn.functional.normalize(b, dim=1).t()
        if args.softmax_in == "float32":
            similarity = similarity.float()
        weight = torch.exp(similarity / 0.07)
        matched = weight.diagonal() / weight.sum(1)
        loss = -torch.log(matched.float() + 1e-8).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 28
        right += (similarity.argmax(1) == torch.arange(64)).sum().item()
    if epoch % 2 == 0:
        print(f"epoch {epoch} loss {total:.4f} (chance 4.16) matched {right / 1792:.3f}")
save_state(towers=towers, optimizer=optimizer)
