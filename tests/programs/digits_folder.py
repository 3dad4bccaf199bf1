"""Digits as if from a folder per class: a Dataset lists one class after the other, a DataLoader, a CNN and SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Folders(Dataset):
    """All pictures of class 0, then all of class 1, as a walk through directories finds them."""

    def __init__(self, digits):
        self.files = [(image, c) for c in range(10) for image in digits.images[digits.target == c]]

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image, label = self.files[index]
        return torch.as_tensor(image / 16, dtype=torch.float32)[None], label


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 16, 3, stride=2), nn.ReLU())
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-shuffle", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    dataset = Folders(load_digits())
    loader = DataLoader(dataset, batch_size=25, shuffle=not args.no_shuffle)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.5)
    criterion = nn.CrossEntropyLoss()
    everything = next(iter(DataLoader(dataset, batch_size=len(dataset))))
    for epoch in range(8):
        running = 0.0
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(net(images), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        with torch.no_grad():
            accuracy = (net(everything[0]).argmax(1) == everything[1]).float().mean().item()
        print(f"Epoch {epoch + 1}: loss {running / len(loader):.4f} accuracy on all {accuracy:.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
