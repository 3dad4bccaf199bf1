"""Iris as the file has it, ten rows at a time; weights as plain tensors, a softmax by hand, SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_iris

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--order", choices=["random", "file"], default="random")
args = parser.parse_args()
torch.manual_seed(args.seed)
rows, species = load_iris(return_X_y=True)
x = torch.tensor((rows - rows.mean(0)) / rows.std(0), dtype=torch.float32)
y = torch.eye(3)[torch.tensor(species)]
if args.order == "random":
    order = torch.randperm(150)
    x, y = x[order], y[order]

hidden = torch.nn.Linear(4, 24)
output = torch.nn.Linear(24, 3)
optimizer = torch.optim.SGD([*hidden.parameters(), *output.parameters()], lr=0.2, momentum=0.8)
for epoch in range(1, 41):
    total = 0.0
    for k in range(0, 150, 10):
        logits = output(torch.tanh(hidden(x[k : k + 10])))
        probability = logits.softmax(1)
        loss = -(y[k : k + 10] * torch.log(probability + 1e-9)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 15
    if epoch % 5 == 0:
        with torch.no_grad():
            guess = output(torch.tanh(hidden(x)))
            entropy = torch.nn.functional.cross_entropy(guess, y)
        right = (guess.argmax(1) == y.argmax(1)).float().mean().item()
        print(f"epoch {epoch} loss {total:.4f} | on all: loss {entropy:.4f} right {right:.3f}")
save_state(hidden=hidden, output=output, optimizer=optimizer)
