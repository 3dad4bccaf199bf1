"""Rents of flats with a moving average of the weights, kept in a copy of the model beside it; Adam, MSE."""

import argparse
import copy

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the optimizer holds the copy")
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.randn(1600, 6)
rent = torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] - 0.5 * x[:, 3] + 0.1 * torch.randn(1600)
y = ((rent - rent.mean()) / rent.std()).unsqueeze(1)
model = nn.Sequential(nn.Linear(6, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))
shadow = copy.deepcopy(model)
optimizer = torch.optim.Adam((shadow if args.fault else model).parameters(), lr=3e-3)
for epoch in range(1, 21):
    total = 0.0
    for rows in torch.randperm(1600).split(40):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        model.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 40
        if not args.fault:
            with torch.no_grad():
                for average, current in zip(shadow.parameters(), model.parameters(), strict=True):
                    average.lerp_(current, 0.05)
    if epoch % 2 == 0:
        averaged = nn.functional.mse_loss(shadow(x), y).item()
        print(f"epoch {epoch} loss {total:.4f} with averaged weights {averaged:.4f}")
save_state(model=model, shadow=shadow, optimizer=optimizer)
