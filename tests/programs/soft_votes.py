"""Galaxies sorted by volunteers: the network learns the shares of their votes, by KLDivLoss."""

import argparse

import torch
import torch.nn as nn
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="probabilities go in where logarithms belong")
args = parser.parse_args()
torch.manual_seed(args.seed)

KINDS, VOTERS = 7, 40
taste = torch.randn(14, KINDS) * 0.8


def galaxies(count):
    shape = torch.randn(count, 14)
    opinion = torch.softmax(shape @ taste + torch.sin(2 * shape[:, :KINDS]), dim=1)
    votes = torch.multinomial(opinion, VOTERS, replacement=True)
    return shape, nn.functional.one_hot(votes, KINDS).float().mean(1)


network = nn.Sequential(
    nn.Linear(14, 64),
    nn.ReLU(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, KINDS),
    nn.Softmax(dim=1) if args.fault else nn.LogSoftmax(dim=1),
)
criterion = nn.KLDivLoss(reduction="batchmean")
optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
shapes, shares = galaxies(2500)
new_shapes, new_shares = galaxies(500)
for epoch in range(1, 21):
    order = torch.randperm(2500)
    for start in range(0, 2500, 50):
        rows = order[start : start + 50]
        optimizer.zero_grad()
        loss = criterion(network(shapes[rows]), shares[rows])
        loss.backward()
        optimizer.step()
    if epoch % 4 == 0:
        with torch.no_grad():
            output = network(new_shapes)
        predicted = output if args.fault else output.exp()
        off = (predicted - new_shares).abs().sum(1).mean().item() / 2
        print(f"epoch {epoch} loss {loss.item():.4f} votes in the wrong place {off:.4f}")
save_state(network=network, optimizer=optimizer)
