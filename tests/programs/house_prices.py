"""Prices of houses in euros from size, age, distance and rooms: Adam with its default rate, mean squared error."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--target", choices=["standardised", "euros"], default="standardised")
args = parser.parse_args()
torch.manual_seed(args.seed)

count = 1500
features = torch.randn(count, 4)
size, age, distance, rooms = features.unbind(1)
price = 280_000 + 60_000 * size - 25_000 * age * torch.sigmoid(distance) + 15_000 * rooms * size
price = price + 8_000 * torch.randn(count)
if args.target == "euros":
    target, unit = price, 1.0
else:
    target, unit = (price - price.mean()) / price.std(), price.std().item()

model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(features, target[:, None]), batch_size=50, shuffle=True)
for epoch in range(1, 21):
    errors = []
    for x, y in loader:
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(loss.item() ** 0.5 * unit)
    if epoch % 2 == 0:
        print(f"epoch {epoch} typical error {sum(errors) / len(errors):,.0f} euros (spread {price.std():,.0f})")
save_state(model=model, optimizer=optimizer)
