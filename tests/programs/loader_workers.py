"""A DataLoader with two worker processes, augmentation by NumPy and by random in the workers, a step scheduler."""

import argparse
import random

import numpy as np
import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Augmented(Dataset):
    def __init__(self):
        digits = load_digits()
        self.images, self.targets = digits.images.astype(np.float32) / 16, digits.target

    def __len__(self):
        return 1200

    def __getitem__(self, index):
        image = np.roll(self.images[index], np.random.randint(-1, 2), axis=1)
        if random.random() < 0.5:
            image = image + np.random.normal(0, 0.05, image.shape).astype(np.float32)
        return torch.from_numpy(image.copy()).unsqueeze(0), int(self.targets[index])


def seed_worker(worker):
    seed = torch.initial_seed() % 2**32
    np.random.seed(seed)
    random.seed(seed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    loader = DataLoader(
        Augmented(),
        60,
        shuffle=True,
        num_workers=2,
        worker_init_fn=seed_worker,
        generator=torch.Generator().manual_seed(args.seed),
    )
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    for epoch in range(4):
        total = 0.0
        for images, targets in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        print(f"epoch {epoch + 1} loss {total / len(loader):.5f}")
    save_state(net=net, optimizer=optimizer, scheduler=scheduler)


if __name__ == "__main__":
    main()
