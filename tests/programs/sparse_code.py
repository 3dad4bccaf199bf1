"""Learns a sparse code for eight by eight pictures: an autoencoder with a penalty on the activity of its code."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class SparseCoder(nn.Module):
    def __init__(self, penalty, units=80):
        super().__init__()
        self.penalty = penalty
        self.code = nn.Linear(64, units)
        self.picture = nn.Linear(units, 64)

    def forward(self, x):
        """Loss, and the share of the pictures' variance that is not rebuilt."""
        code = torch.relu(self.code(x))
        rebuilt = self.picture(code)
        error = (rebuilt - x).pow(2).mean()
        activity = code.mean()
        return error + self.penalty * activity, error / x.var(0).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--penalty", type=float, default=0.05, help="weight of the mean activity")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x = torch.tensor(load_digits().data, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std()
    coder = SparseCoder(args.penalty)
    optimizer = torch.optim.Adam(coder.parameters(), lr=2e-3)
    for epoch in range(20):
        for batch in torch.utils.data.DataLoader(x, batch_size=50, shuffle=True):
            loss, missing = coder(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} loss {loss.item():.4f} not rebuilt {missing.item():.4f}")
    save_state(coder=coder, optimizer=optimizer)


if __name__ == "__main__":
    main()
