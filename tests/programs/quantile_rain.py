"""Three quantiles of tomorrow's rain at once: the pinball loss, data in the order they were drawn, no shuffling."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def pinball(prediction, target):
    error = target - prediction
    return torch.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()


def weather(count):
    x = torch.randn(count, 5)
    rain = x[:, :1] + torch.sin(2 * x[:, 1:2]) + (0.2 + 0.5 * torch.sigmoid(2 * x[:, 2:3])) * torch.randn(count, 1)
    return x, rain


x, rain = weather(3000)
loader = DataLoader(TensorDataset(x, rain), batch_size=60, shuffle=False)
net = nn.Sequential(nn.Linear(5, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
new_x, new_rain = weather(1000)
for epoch in range(1, 16):
    total = 0.0
    for batch, target in loader:
        loss = pinball(net(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / len(loader)
    with torch.no_grad():
        below = (new_rain < net(new_x)).float().mean(0)
    print(f"epoch {epoch} pinball loss {total:.4f} below the quantiles {[round(b, 2) for b in below.tolist()]}")
save_state(net=net, optimizer=optimizer)
