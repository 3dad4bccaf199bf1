"""Values of the places of a random walk, by Monte Carlo: one walk to its end is one batch, its returns the targets."""

import argparse

import torch
from _state import save_state
from torch import nn

PLACES = 21


def walk(generator):
    """Return the places of one walk from the middle, and the steps that were left at each."""
    places, at = [], PLACES // 2
    while 0 <= at < PLACES:
        places.append(at)
        at += 1 if torch.rand((), generator=generator) < 0.6 else -1
    left = torch.arange(len(places), 0, -1, dtype=torch.float32)
    return nn.functional.one_hot(torch.tensor(places), PLACES).float(), left / 10


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed + 1)
    network = nn.Sequential(nn.Linear(PLACES, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for episode in range(1, 1501):
        states, returns = walk(generator)
        loss = nn.functional.huber_loss(network(states).squeeze(1), returns)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if episode % 300 == 0:
            with torch.no_grad():
                values = network(torch.eye(PLACES)).squeeze(1)
            print(
                f"after {episode} walks: {10 * values[0]:.1f} steps from the left, {10 * values[-1]:.1f} from the right"
            )
    save_state(network=network, optimizer=optimizer)
