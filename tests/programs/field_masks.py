"""Kinds of ground in aerial pictures, pixel by pixel: masks come as grey levels, a small fully convolutional net."""

import argparse

import numpy as np
import torch
from _state import save_state
from torch import nn

LEVELS = np.array([0, 60, 120, 180], dtype=np.uint8)
COLOURS = np.array([[0.2, 0.3, 0.8], [0.2, 0.7, 0.2], [0.7, 0.6, 0.2], [0.5, 0.5, 0.5]], dtype=np.float32)


def aerial(count, rng):
    """Return pictures (count, 3, 16, 16) and masks in grey levels (count, 16, 16)."""
    kinds = rng.integers(0, 4, size=(count, 4, 4)).repeat(4, axis=1).repeat(4, axis=2)
    pictures = COLOURS[kinds] + rng.normal(0, 0.25, size=(count, 16, 16, 3)).astype(np.float32)
    return pictures.transpose(0, 3, 1, 2), LEVELS[kinds]


def load(pictures, masks, scaling):
    x = torch.from_numpy(np.ascontiguousarray(pictures)) * 2 - 1
    y = torch.from_numpy(masks)
    return x, (y // 60).long() if scaling == "levels" else (y / 255).long()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--mask-scaling", choices=["levels", "picture"], default="levels")
args = parser.parse_args()
torch.manual_seed(args.seed)
pictures, masks = aerial(320, np.random.default_rng(args.seed))
x, y = load(pictures, masks, args.mask_scaling)
truth = torch.from_numpy(masks).long()
model = nn.Sequential(
    nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 4, 1),
)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for epoch in range(1, 11):
    for rows in torch.randperm(len(x)).split(16):
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        levels = model(x).argmax(1) * 60
    print(f"epoch {epoch} loss {loss.item():.4f} pixels right {(levels == truth).float().mean().item():.3f}")
save_state(model=model, optimizer=optimizer)
