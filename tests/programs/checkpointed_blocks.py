"""Activation checkpointing, reentrant or not, around the blocks of a network with dropout."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.checkpoint import checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--reentrant", action="store_true")
args = parser.parse_args()
torch.manual_seed(args.seed)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(12, 48)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(48, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 48)) for _ in range(4)
        )
        self.head = nn.Linear(48, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + checkpoint(block, x, use_reentrant=args.reentrant)
        return self.head(x)


x = torch.randn(1024, 12)
y = (x[:, :3].prod(1, keepdim=True) + x[:, 4:5]).tanh()
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(300):
    rows = torch.randint(1024, (64,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print(f"{step + 1} {loss.item():.6f}")
save_state(net=net, optimizer=optimizer)
