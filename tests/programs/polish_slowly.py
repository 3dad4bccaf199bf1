"""Train on all digits until little is left to gain, then polish on the last quarter at a rate thirty times smaller."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


def fit(model, x, y, lr, epochs, tag):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        losses = []
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"{tag} epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}")
    return optimizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10))
    fit(model, x, y, 3e-3, 16, "first")
    optimizer = fit(model, x[1350:], y[1350:], 1e-4, 12, "polish")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
