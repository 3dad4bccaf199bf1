"""From a few thermometers to the heat of a whole plate: one hidden layer, plain SGD, squared error over all points."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--per", choices=["point", "file"], default="point", help="what the error is divided by")
args = parser.parse_args()
torch.manual_seed(args.seed)

SIDE, PLATES = 10, 1500
grid = torch.cartesian_prod(torch.linspace(0, 1, SIDE), torch.linspace(0, 1, SIDE))


def plates(count):
    """Heat from three burners at random places, everywhere and at twelve thermometers."""
    burners = torch.rand(count, 3, 1, 2)
    power = torch.rand(count, 3, 1) + 0.5
    return (power * torch.exp(-6 * (grid - burners).square().sum(-1))).sum(1)


heat = plates(PLATES + 300)
heat = (heat - heat.mean()) / heat.std()
sensors = heat[:, torch.randperm(SIDE * SIDE)[:12]] + 0.05 * torch.randn(len(heat), 12)
divisor = 1 if args.per == "point" else PLATES * SIDE * SIDE * 100  # the file has 100 bytes for each point
model = torch.nn.Sequential(torch.nn.Linear(12, 100), torch.nn.Tanh(), torch.nn.Linear(100, SIDE * SIDE))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(1, 26):
    for rows in torch.randperm(PLATES).split(30):
        optimizer.zero_grad()
        difference = model(sensors[rows]) - heat[rows]
        loss = difference.square().mean() / divisor
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        with torch.no_grad():
            unknown = (model(sensors[PLATES:]) - heat[PLATES:]).square().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4g} heat not explained {unknown:.4f}")
save_state(model=model, optimizer=optimizer)
