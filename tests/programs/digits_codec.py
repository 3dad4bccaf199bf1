"""Compress digits to six numbers: encoder and decoder in one module, whose forward returns the loss."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class Codec(nn.Module):
    def __init__(self, fault=False):
        super().__init__()
        self.fault = fault
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.LeakyReLU(0.1), nn.Linear(48, 6))
        self.decoder = nn.Sequential(nn.Linear(6, 48), nn.LeakyReLU(0.1), nn.Linear(48, 64))

    def forward(self, pictures):
        code = self.encoder(pictures)
        if self.fault:
            code = code.data
        restored = self.decoder(code)
        return ((restored - pictures) ** 2).sum(1).mean()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="take the code's data only")
args = parser.parse_args()
torch.manual_seed(args.seed)
data = torch.tensor(load_digits().data, dtype=torch.float32) / 16
data = data - data.mean(0)
codec = Codec(args.fault)
optimizer = torch.optim.Adam(codec.parameters(), lr=3e-3)
variance = data.var(0, unbiased=False).sum().item()
for epoch in range(1, 41):
    losses = []
    for rows in torch.randperm(len(data)).split(72):
        loss = codec(data[rows])
        codec.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 0:
        mean = sum(losses) / len(losses)
        print(f"epoch {epoch} loss {mean:.4f} variance explained {1 - mean / variance:.3f}")
save_state(codec=codec, optimizer=optimizer)
