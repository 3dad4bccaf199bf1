"""``mnist_mlp.py`` under Cockpit, as documented: economy, tracked every 256 steps. See ``../peers.md``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import torch
from backpack import extend
from cockpit import Cockpit
from cockpit.utils import schedules
from cockpit.utils.configuration import configuration
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.data import load_mnist

BATCH, EVERY = 64, 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000)
    steps = parser.parse_args().steps

    torch.manual_seed(0)
    images, labels = load_mnist()
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    model, loss_of = extend(model), extend(nn.CrossEntropyLoss())
    losses_of = nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    cockpit = Cockpit(model.parameters(), quantities=configuration("economy", schedules.linear(EVERY)))

    began = perf_counter()
    place, order = 0, torch.randperm(len(images))
    for step in range(steps):
        if place + BATCH > len(images):
            place, order = 0, torch.randperm(len(images))
        batch = order[place : place + BATCH]
        place += BATCH
        outputs = model(images[batch])
        loss, losses = loss_of(outputs, labels[batch]), losses_of(outputs, labels[batch])
        optimizer.zero_grad()
        info = {"batch_size": BATCH, "individual_losses": losses, "loss": loss, "optimizer": optimizer}
        with cockpit(step, info=info):
            loss.backward(create_graph=cockpit.create_graph(step))
        optimizer.step()
    print(f"{steps} steps   {perf_counter() - began:.3f} s   loss {loss.item():.6f}")


if __name__ == "__main__":
    main()
