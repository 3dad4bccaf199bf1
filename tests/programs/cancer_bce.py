"""Breast cancer, a binary classifier on tabular data: BCEWithLogits, SGD, full passes over a DataLoader."""

import argparse

import numpy as np
import torch
import torch.nn as nn
from _state import save_state
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class Tumours(Dataset):
    def __init__(self, features, labels):
        self.features = torch.as_tensor(features, dtype=torch.float32)
        self.labels = torch.as_tensor(labels, dtype=torch.float32)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.features[index], self.labels[index]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="leave the features on their own scales")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    features, labels = load_breast_cancer(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(features, labels, test_size=0.25, random_state=args.seed)
    if not args.fault:
        mean, std = train_x.mean(0), train_x.std(0)
        train_x, test_x = (train_x - mean) / std, (test_x - mean) / std
    loader = DataLoader(Tumours(train_x, train_y), batch_size=32, shuffle=True)
    test = Tumours(test_x, test_y)
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(40):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x).squeeze(1), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if (epoch + 1) % 5 == 0:
            with torch.no_grad():
                right = ((model(test.features).squeeze(1) > 0) == test.labels.bool()).float().mean()
            print(f"Epoch {epoch + 1}/40 - loss: {total / len(loader):.4f} - val_accuracy: {right:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
