"""A network of feature extractor and head on chequered squares; the optimizer is built from named parameters."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--train", nargs="+", default=["features", "head"], help="parts that are given to the optimizer")
args = parser.parse_args()
torch.manual_seed(args.seed)


class Chequers(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 6))
        self.head = nn.Linear(6, 1)

    def forward(self, points):
        return self.head(torch.relu(self.features(points))).squeeze(1)


points = torch.rand(2048, 2) * 2 - 1
colour = ((points[:, 0] > 0) ^ (points[:, 1] > 0)).float()
net = Chequers()
chosen = [p for name, p in net.named_parameters() if name.split(".")[0] in args.train]
optimizer = torch.optim.NAdam(chosen, lr=5e-3)
for epoch in range(30):
    total = correct = 0.0
    for rows in torch.randperm(2048).split(64):
        logits = net(points[rows])
        loss = nn.functional.binary_cross_entropy_with_logits(logits, colour[rows])
        net.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 32
        correct += ((logits > 0) == colour[rows].bool()).sum().item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} | loss {total:.4f} | accuracy {correct / 2048:.3f}")
save_state(net=net, optimizer=optimizer)
