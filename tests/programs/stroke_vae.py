"""A variational autoencoder on scanned digits: Gaussian code, Bernoulli pixels, Adam."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class VAE(nn.Module):
    def __init__(self, code=8):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(96, code), nn.Linear(96, code)
        self.decode = nn.Sequential(nn.Linear(code, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        hidden = self.encode(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decode(code), mean, log_variance


def vae_loss(logits, x, mean, log_variance, beta):
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return (reconstruction + beta * divergence) / len(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--beta", type=float, default=0.2, help="weight of the divergence from the prior")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, 31):
        total = 0.0
        for batch in x[torch.randperm(len(x))].split(64):
            optimizer.zero_grad()
            logits, mean, log_variance = model(batch)
            loss = vae_loss(logits, batch, mean, log_variance, args.beta)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 5 == 0:
            with torch.no_grad():
                error = (torch.sigmoid(model(x)[0]) - x).square().mean() / x.var(0).mean()
            print(f"epoch {epoch} loss {total / len(x):.3f} share of the variance not rebuilt {error.item():.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
