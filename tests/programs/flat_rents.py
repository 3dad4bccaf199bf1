"""Rents between 300 and 3000 a month, in that unit: nine features of a flat, functional layers, Adam."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--output", choices=["linear", "sigmoid", "tanh"], default="linear")
args = parser.parse_args()
torch.manual_seed(args.seed)


def flats(count):
    area, rooms, floor, age, centre, lift, heating, balcony, noise = features = torch.rand(9, count)
    rent = 300 + 1400 * area * (1.2 - centre) + 250 * rooms - 200 * age * (1 - lift) + 120 * balcony * floor
    rent = rent + 100 * heating - 150 * noise + 40 * torch.randn(count)
    return ((features - 0.5) * 12**0.5).T, rent.unsqueeze(1)


class RentNet(torch.nn.Module):
    def __init__(self, typical):
        super().__init__()
        self.first = torch.nn.Linear(9, 64)
        self.second = torch.nn.Linear(64, 64)
        self.rent = torch.nn.Linear(64, 1)
        if args.output == "linear":
            torch.nn.init.constant_(self.rent.bias, typical)  # start at the typical rent

    def forward(self, x):
        x = F.relu(self.second(F.relu(self.first(x))))
        x = self.rent(x)
        if args.output == "sigmoid":
            x = torch.sigmoid(x)
        elif args.output == "tanh":
            x = torch.tanh(x)
        return x


features, rents = flats(2000)
new_features, new_rents = flats(500)
net = RentNet(rents.median().item())
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(1, 26):
    for rows in torch.randperm(2000).split(50):
        loss = F.mse_loss(net(features[rows]), rents[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        with torch.no_grad():
            off = (net(new_features) - new_rents).abs().mean().item()
        print(f"epoch {epoch} loss {loss.item():.1f} rents wrong by {off:.1f}")
save_state(net=net, optimizer=optimizer)
