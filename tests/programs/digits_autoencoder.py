"""An autoencoder of the digits: mean squared error, AdamW, sigmoid output."""

import argparse
import itertools

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


def mlp(widths, activation):
    layers = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.encoder = mlp([64, 48, 32, 12], activation)
        self.decoder = mlp([12, 32, 48, 64], activation)

    def forward(self, x):
        return torch.sigmoid(self.decoder(self.encoder(x)))


def fit(model, data, epochs, lr, weight_decay):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    loader = torch.utils.data.DataLoader(data, batch_size=50, shuffle=True)
    for epoch in range(epochs):
        total = 0.0
        for batch in loader:
            reconstruction = model(batch)
            loss = nn.functional.mse_loss(reconstruction, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:3d}  reconstruction loss {total / len(data):.5f}")
    return optimizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    digits = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    network = Autoencoder(nn.ReLU)
    optimizer = fit(network, digits, args.epochs, args.lr, args.weight_decay)
    save_state(network=network, optimizer=optimizer)
