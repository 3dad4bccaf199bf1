"""Handwritten digits with ten hidden layers and SGD; the activation is a choice."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


def build(depth, width, activation):
    layers = [nn.Linear(64, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--activation", choices=["relu", "sigmoid"], default="relu")
args = parser.parse_args()
torch.manual_seed(args.seed)

x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16.0).float(), torch.tensor(y)
x = (x - x.mean(0)) / x.std()
model = build(10, 64, {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[args.activation])
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
criterion = nn.CrossEntropyLoss()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=64, shuffle=True)

for epoch in range(20):
    running, hits = 0.0, 0
    for inputs, labels in loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(labels)
        hits += (outputs.argmax(1) == labels).sum().item()
    print("epoch", epoch, "loss", round(running / len(x), 4), "accuracy", round(hits / len(x), 3))
save_state(model=model, optimizer=optimizer)
