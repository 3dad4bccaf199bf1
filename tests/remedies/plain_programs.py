"""Programs as people write them, small enough to be trained in a moment: what patches are made for and tried on."""

from __future__ import annotations

SCRIPT = '''"""A script from top to bottom."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs, labels = torch.randn(60, 4), torch.randint(3, (60,))
loader = DataLoader(TensorDataset(inputs, labels), batch_size=10, shuffle=False)
model = nn.Sequential(nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 5), nn.Sigmoid(), nn.Linear(5, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5, weight_decay=0.01)  # as ever
for epoch in range(2):
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        print(epoch, (model(inputs).argmax(1) == labels).float().mean().item())
'''

MAIN = '''"""A program with a class, functions and a command line."""

import argparse

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv1d(1, 3, 3, padding=1)
        self.first = nn.Linear(12, width)
        self.more = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        x = self.conv(x.unsqueeze(1)).tanh().flatten(1)
        x = F.tanh(self.first(x))
        for layer in self.more:
            x = torch.tanh(layer(x))
        return torch.sigmoid(self.last(x)).squeeze(1)


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.5)
    args = parser.parse_args()
    torch.manual_seed(0)
    inputs = torch.randn(60, 4)
    targets = (inputs.sum(1) > 0).float()
    loader = DataLoader(TensorDataset(inputs, targets), 10)
    model = Net(8)
    optimizer = optim.AdamW(
        model.parameters(),
        lr=args.lr,
        weight_decay=args.weight_decay,
    )
    for _ in range(2):
        train(model, loader, optimizer)
    return model


if __name__ == "__main__":
    model = main()
'''

PARTS = '''"""A trainer of a part of a network, in evaluation mode, that never zeroes its gradients."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU())
        self.head = nn.Linear(6, 3)
        self.out = nn.Softmax(dim=1)

    def forward(self, x):
        return self.out(self.head(self.body(x)))


class Trainer:
    def __init__(self, model):
        self.model = model
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.head.parameters(), 0.1)

    def fit(self, inputs, labels):
        self.model.eval()
        for step in range(8):
            loss = self.criterion(self.model(inputs + step), labels)
            loss.backward()
            self.optimizer.step()


torch.manual_seed(0)
model = Net()
Trainer(model).fit(torch.randn(20, 4), torch.randint(3, (20,)))
'''

FROZEN = '''"""A network whose first layers are frozen; two groups of parameters."""

import torch
from torch import nn

LR = 0.1
torch.manual_seed(0)
model = nn.Sequential()
model.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
model.head = nn.Linear(6, 1)
for parameter in model.body.parameters():
    parameter.requires_grad = False
x, y = torch.randn(20, 4), torch.randn(20)
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=LR)
mse = nn.MSELoss(reduction="sum")
for _ in range(6):
    optimizer.zero_grad()
    pred = model(x)
    loss = mse(pred, y) / 400
    loss.backward()
    optimizer.step()
'''

GROUPS = '''"""Two optimizers, one with groups of its own; the loss written by hand."""

import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.Linear(4, 6)
model = nn.Linear(6, 1)
slow = torch.optim.Adam([{"params": encoder.parameters(), "lr": 0.001}, {"params": []}], lr=0.5, betas=(0.9, 0.999))
fast = torch.optim.SGD(model.parameters(), lr=0.02)
x, y = torch.randn(20, 4), torch.randn(20)
for _ in range(6):
    loss = ((model(encoder(x).relu()) - y) ** 2).mean()
    slow.zero_grad()
    fast.zero_grad()
    loss.backward()
    slow.step()
    fast.step()
'''
