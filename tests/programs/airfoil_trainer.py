"""A Trainer class that looks at the validation set before it starts: deep regression network with batch norm, L1."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, optimizer, remember_mode=True):
        self.model, self.optimizer, self.remember_mode = model, optimizer, remember_mode
        self.loss = nn.L1Loss()

    @torch.no_grad()
    def validate(self, loader):
        before = self.model.training
        self.model.eval()
        errors = [self.loss(self.model(x), y) for x, y in loader]
        if self.remember_mode:
            self.model.train(before)
        return torch.stack(errors).mean().item()

    def fit(self, train, valid, epochs):
        self.model.train()
        print(f"sanity check: validation error {self.validate(valid):.4f}")
        for epoch in range(1, epochs + 1):
            for x, y in train:
                loss = self.loss(self.model(x), y)
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                self.optimizer.step()
            print(f"epoch {epoch}: training loss {loss.item():.4f} validation error {self.validate(valid):.4f}")


def network(inputs, width=32, depth=10):
    layers, size = [], inputs
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU()]
        size = width
    return nn.Sequential(*layers, nn.Linear(size, 1))


def noise_of_airfoils(count):
    x = torch.rand(count, 5) * 2 - 1
    y = torch.sin(3 * x[:, :1]) * x[:, 1:2] + x[:, 2:3] * x[:, 3:4] + 0.5 * x[:, 4:]
    return TensorDataset(x, (y - y.mean()) / y.std())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="validate() leaves the model in evaluation mode")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train = DataLoader(noise_of_airfoils(1600), batch_size=64, shuffle=True)
    valid = DataLoader(noise_of_airfoils(400), batch_size=200)
    model = network(5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    Trainer(model, optimizer, not args.fault).fit(train, valid, 14)
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
