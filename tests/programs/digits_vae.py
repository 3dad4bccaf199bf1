"""A variational autoencoder on digits: reparameterised samples, reconstruction and KL terms in one loss."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc21, self.fc22 = nn.Linear(64, latent), nn.Linear(64, latent)
        self.fc3, self.fc4 = nn.Linear(latent, 64), nn.Linear(64, 64)

    def encode(self, x):
        hidden = F.relu(self.fc1(x))
        return self.fc21(hidden), self.fc22(hidden)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.decode(z), mu, logvar


def loss_function(restored, x, mu, logvar):
    bce = F.binary_cross_entropy(restored, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    data = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(1, 26):
        total = 0.0
        for rows in torch.randperm(len(data)).split(64):
            optimizer.zero_grad()
            restored, mu, logvar = model(data[rows])
            loss = loss_function(restored, data[rows], mu, logvar)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 0:
            with torch.no_grad():
                error = F.mse_loss(model.decode(model.encode(data)[0]), data).item()
            print(f"epoch {epoch} loss {total / len(data):.4f} restoration error {error:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
