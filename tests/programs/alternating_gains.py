"""A deep ReLU regression of a bumpy function; the gains of its layers may alternate; SGD with momentum."""

import argparse

import torch
from _state import save_state
from torch import nn


def target(x):
    return (torch.sin(3 * x[:, 0]) + x[:, 1] ** 2 - x[:, 2] * x[:, 3]).unsqueeze(1)


class DeepRegressor(nn.Module):
    def __init__(self, inputs, width, depth, ratio):
        super().__init__()
        self.entry = nn.Linear(inputs, width)
        self.hidden = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.exit = nn.Linear(width, 1)
        for number, layer in enumerate(self.hidden):
            nn.init.orthogonal_(layer.weight, gain=1.414 * (ratio if number % 2 else 1 / ratio))
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.relu(self.entry(x))
        for layer in self.hidden:
            x = layer(x).relu()
        return self.exit(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ratio", type=float, default=1.0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x = torch.rand(2000, 4) * 2 - 1
    y = target(x)
    model = DeepRegressor(4, 40, 6, args.ratio)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(20):
        losses = []
        for index in torch.randperm(2000).split(50):
            loss = nn.functional.smooth_l1_loss(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 2:
            print(f"[epoch {epoch + 1}] huber loss: {sum(losses) / len(losses):.5f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
