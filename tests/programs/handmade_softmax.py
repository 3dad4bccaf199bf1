"""Digits by distance to ten prototypes, the softmax and its loss written out by hand; SGD, a decaying rate."""

import argparse
import math

import torch
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="no shift by the maximum before exp")
args = parser.parse_args()
torch.manual_seed(args.seed)


def softmax(scores):
    if not args.fault:
        scores = scores - scores.max(dim=1, keepdim=True).values
    return scores.exp() / scores.exp().sum(dim=1, keepdim=True)


def cross_entropy(probability, labels):
    return -torch.log(probability[range(len(labels)), labels] + 1e-30).mean()


def pictures():
    data, labels = load_digits(return_X_y=True)
    data = torch.tensor(data, dtype=torch.float32)
    return (data - data.mean()) / data.std(), torch.tensor(labels)


data, labels = pictures()
hidden = torch.nn.Linear(64, 20)
prototypes = torch.nn.Parameter(3 + 0.3 * torch.randn(10, 20))
optimizer = torch.optim.SGD([{"params": hidden.parameters()}, {"params": prototypes, "lr": 0.02}], lr=0.01)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / math.sqrt(1 + step / 300))
for epoch in range(40):
    losses = []
    for rows in torch.randperm(len(data)).split(32):
        distance = (hidden(data[rows])[:, None] - prototypes).square().sum(2)
        probability = softmax(-distance)
        loss = cross_entropy(probability, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"after epoch {epoch + 1:2d} the loss is {sum(losses) / len(losses):.4f}")
save_state(hidden=hidden, prototypes=prototypes.detach(), optimizer=optimizer, scheduler=scheduler)
