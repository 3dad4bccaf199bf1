"""Forward kinematics of a three-joint arm: a configurable network learns the hand's position and angle."""

import argparse
from itertools import pairwise

import torch
from _state import save_state
from torch import nn

ACTIVATIONS = {"none": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class Mlp(nn.Module):
    def __init__(self, sizes, hidden="relu", output="none"):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.hidden = ACTIVATIONS[hidden]()
        self.output = ACTIVATIONS[output]()

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.hidden(layer(x))
        return self.output(self.layers[-1](x))


def arm(angles, lengths=(1.2, 1.0, 0.6)):
    """Position of the hand and the angle of its last joint, for angles of the joints in radians."""
    direction = angles.cumsum(1)
    reach = torch.tensor(lengths)
    return torch.stack([(reach * direction.cos()).sum(1), (reach * direction.sin()).sum(1), direction[:, 2]], 1)


def evaluate(model, angles, hand):
    with torch.no_grad():
        return 1 - ((model(angles) - hand) ** 2).mean().item() / hand.var(0).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", choices=list(ACTIVATIONS), default="none", help="activation of the last layer")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    angles = (torch.rand(2400, 3) - 0.5) * 3
    hand = arm(angles)
    hand = (hand - hand.mean(0)) / hand.std(0)
    model = Mlp([3, 64, 64, 3], output=args.output)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.MSELoss()
    for epoch in range(1, 21):
        for rows in torch.randperm(2000).split(50):
            optimizer.zero_grad()
            loss = criterion(model(angles[rows]), hand[rows])
            loss.backward()
            optimizer.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f} R2 {evaluate(model, angles[2000:], hand[2000:]):.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
