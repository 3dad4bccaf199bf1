"""Accuracy of every digit by itself: a CNN with batch norm that is tested class by class."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.conv2, self.bn2 = nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24)
        self.fc1, self.bn3 = nn.Linear(96, 32), nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.bn3(self.fc1(x.flatten(1)))))


def scores_by_class(net, images, labels, evaluating=True):
    if evaluating:
        net.eval()
    with torch.no_grad():
        scores = [(net(images[labels == c]).argmax(1) == c).float().mean().item() for c in range(10)]
    net.train()
    return scores


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="test in training mode")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    loader = DataLoader(TensorDataset(images[:1400], labels[:1400]), batch_size=50, shuffle=True)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(8):
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
        scores = scores_by_class(net, images[1400:], labels[1400:], not args.fault)
        print(f"epoch {epoch + 1} loss {loss.item():.3f} mean accuracy {sum(scores) / 10:.3f} worst {min(scores):.2f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
