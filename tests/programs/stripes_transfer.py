"""Learn a network on many pictures of stripes, then only its head on a few pictures of another kind."""

import argparse
import copy

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="freeze a body whose weights were not loaded")
args = parser.parse_args()
torch.manual_seed(args.seed)


def stripes(count, classes, offset):
    """Pictures whose class is the direction of the stripes; the second task has other directions."""
    kind = torch.randint(classes, (count,))
    angle = kind * 3.1416 / classes + offset
    axis = torch.arange(12.0)
    along = axis[:, None] * angle.cos()[:, None, None] + axis * angle.sin()[:, None, None]
    return (torch.sin(1.6 * along + 6.28 * torch.rand(count, 1, 1)) + torch.randn(count, 12, 12)).unsqueeze(1), kind


def body():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(8, 12, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


def train(model, pictures, kinds, lr, epochs, label):
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=lr)
    for epoch in range(1, epochs + 1):
        total, right = 0.0, 0
        for rows in torch.randperm(len(pictures)).split(32):
            logits = model(pictures[rows])
            loss = nn.functional.cross_entropy(logits, kinds[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, right = total + loss.item() * len(rows), right + (logits.argmax(1) == kinds[rows]).sum().item()
        if epoch % 4 == 0:
            print(f"{label} {epoch}: loss {total / len(kinds):.4f} accuracy {right / len(kinds):.3f}")
    return optimizer


first = nn.Sequential(body(), nn.Linear(12, 8))
train(first, *stripes(1600, 8, 0.0), lr=5e-3, epochs=12, label="first task")
weights = copy.deepcopy(first[0].state_dict())

features = body()
if not args.fault:
    features.load_state_dict(weights)
features.requires_grad_(False)
model = nn.Sequential(features, nn.Linear(12, 8))
optimizer = train(model, *stripes(600, 8, 0.2), lr=2e-2, epochs=40, label="second task")
save_state(first=first, model=model, optimizer=optimizer)
