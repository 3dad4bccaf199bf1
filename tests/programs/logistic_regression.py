"""Logistic regression with a sigmoid and a binary cross-entropy, mini-batches from a generator function."""

import argparse

import numpy as np
import torch
from _state import save_state
from sklearn.datasets import make_classification
from sklearn.preprocessing import scale


def batches(x, y, size, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(x), size):
        yield x[order[start : start + size]], y[order[start : start + size]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--l2", type=float, default=1e-4)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    x, y = make_classification(3000, 12, n_informative=6, n_clusters_per_class=1, class_sep=1.5, random_state=args.seed)
    x, y = torch.from_numpy(scale(x)).float(), torch.from_numpy(y).float()
    model = torch.nn.Sequential(torch.nn.Linear(12, 1), torch.nn.Sigmoid(), torch.nn.Flatten(0))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    criterion = torch.nn.BCELoss()
    for epoch in range(1, 21):
        history = []
        for features, label in batches(x, y, 32, rng):
            loss = criterion(model(features), label) + args.l2 * sum((p**2).sum() for p in model.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        if epoch % 2 == 0:
            with torch.no_grad():
                probability = model(x)
                bce, accuracy = criterion(probability, y), ((probability > 0.5) == (y > 0.5)).float().mean()
            print(f"epoch {epoch}: objective {np.mean(history):.4f} bce {bce:.4f} accuracy {accuracy:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
