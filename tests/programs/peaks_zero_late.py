"""Energy of a peak in a spectrum: convolution, max pooling, regression; the closure-free loop spelled out."""

import argparse

import torch
from _state import save_state
from torch import nn


class PeakNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 7, padding=3)
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(8 * 16, 24), nn.Tanh(), nn.Linear(24, 1))

    def forward(self, spectrum):
        return self.dense(nn.functional.max_pool1d(self.conv(spectrum).relu(), 4))[:, 0]


def spectra(count):
    channel = torch.arange(64.0)
    energy = torch.rand(count) * 2 - 1
    peak = torch.exp(-((channel - 32 - 24 * energy[:, None]) ** 2) / 12)
    return (peak + 0.2 * torch.rand(count, 64)).unsqueeze(1), energy


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zero", choices=["before", "between"], default="before", help="before backward, or after it")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, energy = spectra(1200)
    net = PeakNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.MSELoss()
    for epoch in range(1, 13):
        errors = []
        for rows in torch.randperm(1200).split(40):
            if args.zero == "before":
                optimizer.zero_grad()
            loss = criterion(net(x[rows]), energy[rows])
            loss.backward()
            if args.zero == "between":
                optimizer.zero_grad()
            optimizer.step()
            errors.append(loss.item())
        print(f"epoch {epoch} loss {sum(errors) / len(errors):.5f} (variance {energy.var():.3f})")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
