"""Where is the ball: two cameras see it along a line each, two small nets read the pictures, a third joins them."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="rebuild the joint tensor from numbers")
args = parser.parse_args()
torch.manual_seed(args.seed)


def view(position):
    pixels = torch.linspace(-1.2, 1.2, 24)
    return torch.exp(-((pixels - position[:, None]) ** 2) / 0.02) + 0.1 * torch.randn(len(position), 24)


def observe(count):
    place = torch.rand(count, 2) * 2 - 1
    left, right = view(0.8 * place[:, 0] + 0.2 * place[:, 1]), view(place[:, 1] - 0.1 * place[:, 0])
    return left, right, place


def reader():
    return nn.Sequential(nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))


net = nn.ModuleDict(
    {
        "left": reader(),
        "right": reader(),
        "join": nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)),
    }
)
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
loss_fn = nn.SmoothL1Loss()
for step in range(1, 1001):
    left, right, place = observe(64)
    parts = [net["left"](left), net["right"](right)]
    if args.fault:
        joint = torch.tensor([part.flatten().tolist() for part in parts]).t()
    else:
        joint = torch.cat(parts, 1)
    prediction = net["join"](joint)
    loss = loss_fn(prediction, place)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        error = (prediction - place).norm(dim=1).mean().item()
        print(f"step {step}: loss {loss.item():.5f}, mean distance {error:.3f}")
save_state(net=net, optimizer=optimizer)
