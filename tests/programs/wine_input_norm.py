"""Three cultivars of wine from raw measurements, which a batch norm in front of the network scales; one-hot targets."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_wine
from torch import nn


def build():
    return nn.Sequential(
        nn.BatchNorm1d(13),
        nn.Linear(13, 24),
        nn.Tanh(),
        nn.Linear(24, 3),
    )


def run(seed, mode):
    torch.manual_seed(seed)
    data = load_wine()
    x = torch.tensor(data.data, dtype=torch.float32)
    one_hot = nn.functional.one_hot(torch.tensor(data.target)).float()
    network = build().train(mode == "train")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    for epoch in range(100):
        epoch_loss = 0.0
        for rows in torch.randperm(len(x)).split(30)[:-1]:
            log_p = network(x[rows]).log_softmax(1)
            loss = -(one_hot[rows] * log_p).sum(1).mean()
            network.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item() / 5
        if epoch % 10 == 9:
            right = (network(x).argmax(1) == one_hot.argmax(1)).float().mean().item()
            print(f"{epoch + 1:3d} loss {epoch_loss:.4f} right {right:.3f}")
    save_state(network=network, optimizer=optimizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", choices=["train", "eval"], default="train")
    options = parser.parse_args()
    run(options.seed, options.mode)
