"""Mixup on clouds of points: two examples and their soft labels are blended; the test set comes sorted by class."""

import argparse

import numpy as np
import torch
from _state import save_state
from sklearn.datasets import make_blobs
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def mixed(x, soft, strength, rng):
    share = rng.beta(strength, strength)
    other = torch.randperm(len(x))
    return share * x + (1 - share) * x[other], share * soft + (1 - share) * soft[other]


def evaluate(net, loader):
    net.eval()
    right = seen = 0
    with torch.inference_mode():
        for x, label in loader:
            right += (net(x).argmax(1) == label).sum().item()
            seen += len(label)
    net.train()
    return right / seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    points, labels = make_blobs(2400, 6, centers=6, cluster_std=2.5, random_state=args.seed)
    points = torch.tensor((points - points.mean(0)) / points.std(0), dtype=torch.float32)
    labels = torch.tensor(labels)
    train = DataLoader(TensorDataset(points[:2000], labels[:2000]), batch_size=50, shuffle=True)
    by_class = labels[2000:].argsort()
    test = DataLoader(TensorDataset(points[2000:][by_class], labels[2000:][by_class]), batch_size=40)
    net = nn.Sequential(nn.Linear(6, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 6))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for epoch in range(12):
        for x, label in train:
            x, soft = mixed(x, nn.functional.one_hot(label, 6).float(), 0.3, rng)
            loss = -(soft * net(x).log_softmax(1)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} test accuracy {evaluate(net, test):.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
