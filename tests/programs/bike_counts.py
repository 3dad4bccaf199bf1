"""Bicycles that pass a counter in an hour: the output is rectified, since counts are never negative; squared error."""

import argparse
import math

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--end", choices=["relu", "softplus"], default="relu")
args = parser.parse_args()
torch.manual_seed(args.seed)


def hours(count):
    hour, day, rain, warmth = torch.rand(4, count) * torch.tensor([[24.0], [7.0], [1.0], [1.0]])
    rush = torch.exp(-((hour - 8) ** 2) / 4) + torch.exp(-((hour - 17) ** 2) / 6)
    rate = 6 * (rush * (day < 5) + 0.4 * (day >= 5)) * (1 - 0.7 * (rain > 0.7)) * (0.3 + warmth)
    clock = 2 * math.pi * hour / 24
    features = [clock.sin(), clock.cos(), (2 * clock).sin(), (2 * clock).cos(), (day < 5) * 2.0 - 1]
    features += [(rain - 0.5) * 3.5, (warmth - 0.5) * 3.5]
    return torch.stack([feature * 1.0 for feature in features], 1), torch.poisson(rate).unsqueeze(1)


counter = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
counter.append(nn.ReLU() if args.end == "relu" else nn.Softplus())
with torch.no_grad():
    counter[4].bias.fill_(2.0)  # start on the side where the rectifier lets gradients through
optimizer = torch.optim.Adam(counter.parameters(), lr=2e-3)
loss_function = nn.MSELoss()
features, counts = hours(3000)
new_features, new_counts = hours(800)
for epoch in range(20):
    for rows in torch.randperm(3000).split(50):
        optimizer.zero_grad()
        loss = loss_function(counter(features[rows]), counts[rows])
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            left = (counter(new_features) - new_counts).square().mean() / new_counts.var()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} not explained {left.item():.4f}")
save_state(counter=counter, optimizer=optimizer)
