"""Raw measurements on scales from 0.001 to 2,500; a batch norm at the entrance of the network takes care of them."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_breast_cancer
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_breast_cancer(return_X_y=True)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
net = nn.Sequential(nn.BatchNorm1d(30), nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(60):
    net.train()
    for rows in torch.randperm(569)[:544].split(32):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows]).backward()
        optimizer.step()
    if epoch % 10 == 9:
        net.eval()
        with torch.no_grad():
            logits = net(x)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
            print(f"epoch {epoch + 1} loss {loss:.4f} accuracy {((logits > 0) == (y > 0)).float().mean():.4f}")
save_state(net=net, optimizer=optimizer)
