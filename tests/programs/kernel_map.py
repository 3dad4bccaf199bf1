"""A map that keeps distances: all pairs of a batch are compared through (N, 1) - (N) tables, on purpose."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_swiss_roll

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
roll, position = make_swiss_roll(1500, noise=0.1, random_state=args.seed)
roll = torch.tensor((roll - roll.mean(0)) / roll.std(0), dtype=torch.float32)
position = torch.tensor((position - position.mean()) / position.std(), dtype=torch.float32)

unroll = torch.nn.Sequential(
    torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
)
optimizer = torch.optim.Adam(unroll.parameters(), lr=3e-3)


def gaps(values):
    """Table of the distances between all pairs of a column of values."""
    return values.reshape(-1, 1) - values.reshape(-1)


for step in range(1, 801):
    rows = torch.randint(1500, (60,))
    place = unroll(roll[rows])
    wanted = position[rows].unsqueeze(1) - position[rows]
    loss = (gaps(place) - wanted).square().mean() + 0.1 * place.mean() ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        with torch.no_grad():
            along = torch.corrcoef(torch.stack([unroll(roll)[:, 0], position]))[0, 1].item()
        print(f"step {step} loss {loss.item():.4f} correlation {along:.4f}")
save_state(unroll=unroll, optimizer=optimizer)
