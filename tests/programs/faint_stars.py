"""Removes noise from faint star fields in mixed float16, with a loss scale kept by a GradScaler."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--no-scaler", action="store_true", help="the gradients in float16 are not scaled up")
args = parser.parse_args()
torch.manual_seed(args.seed)
SIDE, JANSKY = 12, 0.003  # pixels along an edge, brightness of one unit


def fields(count):
    """Two soft stars in a field of 12 x 12 pixels, and the same with noise."""
    grid = torch.stack(torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij"), -1).float()
    places = torch.rand(count, 2, 1, 1, 2) * (SIDE - 3) + 1
    distance = (grid - places).square().sum(-1)
    clean = torch.exp(-distance / 3).sum(1).flatten(1)
    return clean + 0.3 * torch.randn_like(clean), clean


class Cleaner(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze = nn.Linear(SIDE * SIDE, 48)
        self.restore = nn.Linear(48, SIDE * SIDE)

    def forward(self, noisy):
        return self.restore(torch.tanh(self.squeeze(noisy)))


cleaner = Cleaner()
optimizer = torch.optim.Adam(cleaner.parameters(), lr=2e-3, eps=1e-12)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14, enabled=not args.no_scaler)
test_noisy, test_clean = fields(300)
for step in range(1, 501):
    noisy, clean = fields(64)
    with torch.autocast("cpu", dtype=torch.float16):
        restored = cleaner(noisy)
    loss = ((restored.float() - clean) * JANSKY).square().mean()  # in the units of the telescope
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    if step % 100 == 0:
        with torch.no_grad():
            left = (cleaner(test_noisy) - test_clean).square().mean() / test_clean.var(0).mean()
        print(f"step {step} loss {loss.item():.3g} not restored {left.item():.4f} scale {scaler.get_scale():.0f}")
save_state(cleaner=cleaner, optimizer=optimizer, scaler=scaler)
