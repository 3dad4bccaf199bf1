"""Digits, squared error on one-hot targets through a sigmoid output, as textbooks begin; SGD with momentum."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--output-bias", type=float, default=0.0)
parser.add_argument("--hidden-gain", type=float, default=1.0)
args = parser.parse_args()
torch.manual_seed(args.seed)

images, classes = load_digits(return_X_y=True)
images = torch.tensor(images / 16, dtype=torch.float32)
classes = torch.tensor(classes)
one_hot = nn.functional.one_hot(classes, 10).float()

network = nn.Sequential()
network.add_module("hidden", nn.Linear(64, 60))
network.add_module("squash", nn.Sigmoid())
network.add_module("output", nn.Linear(60, 10))
network.add_module("probability", nn.Sigmoid())
with torch.no_grad():
    network.output.bias.fill_(args.output_bias)
    network.hidden.weight.mul_(args.hidden_gain)
    network.hidden.bias.mul_(args.hidden_gain)
trainer = torch.optim.SGD(network.parameters(), lr=0.5, momentum=0.9)
for epoch in range(40):
    cost = 0.0
    for rows in torch.randperm(len(images)).split(30):
        trainer.zero_grad()
        loss = nn.functional.mse_loss(network(images[rows]), one_hot[rows])
        loss.backward()
        trainer.step()
        cost += loss.item() * len(rows) / len(images)
    if epoch % 5 == 4:
        with torch.no_grad():
            share = (network(images).argmax(1) == classes).float().mean().item()
        print(f"Epoch {epoch + 1} cost {cost:.5f} accuracy {share:.4f}")
save_state(network=network, trainer=trainer)
