"""A linear probe: an autoencoder is trained first, then its encoder is frozen on purpose and only a head learns."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


def pretrain(encoder, data):
    decoder = nn.Linear(32, 64)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    for epoch in range(15):
        for batch in data[torch.randperm(len(data))].split(64):
            loss = nn.functional.mse_loss(decoder(encoder(batch)), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            print(f"pretraining epoch {epoch + 1} loss {loss.item():.5f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
    pretrain(encoder, x)
    encoder.requires_grad_(False).eval()
    probe = nn.Sequential(encoder, nn.BatchNorm1d(32), nn.Linear(32, 10))
    optimizer = torch.optim.SGD([p for p in probe.parameters() if p.requires_grad], lr=0.02, momentum=0.9)
    for epoch in range(25):
        right = 0
        for rows in torch.randperm(len(x)).split(64):
            logits = probe(x[rows])
            loss = nn.functional.cross_entropy(logits, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (logits.argmax(1) == y[rows]).sum().item()
        if epoch % 5 == 4:
            print(f"probe epoch {epoch + 1} loss {loss.item():.4f} accuracy {right / len(x):.4f}")
    save_state(probe=probe, optimizer=optimizer)


if __name__ == "__main__":
    main()
