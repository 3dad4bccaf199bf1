"""Pitch from short sounds: a learned filterbank without bias, its magnitudes, a head; some recordings are silent."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Magnitudes(nn.Module):
    """Square root of the energy in every band."""

    def __init__(self, bands, floor):
        super().__init__()
        self.real = nn.Linear(48, bands, bias=False)
        self.imag = nn.Linear(48, bands, bias=False)
        self.floor = floor

    def forward(self, sound):
        return torch.sqrt(self.real(sound) ** 2 + self.imag(sound) ** 2 + self.floor)


def sounds(count):
    t = torch.arange(48.0)
    pitch = torch.randint(6, (count,))
    sound = torch.sin((0.2 + 0.12 * pitch[:, None]) * t + 6.28 * torch.rand(count, 1)) + 0.3 * torch.randn(count, 48)
    silent = torch.arange(count) % 40 == 0
    return TensorDataset(sound.masked_fill(silent[:, None], 0.0), pitch.masked_fill(silent, 6))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--floor", type=float, default=1e-4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    loader = DataLoader(sounds(1600), batch_size=32, shuffle=True)
    net = nn.Sequential(Magnitudes(24, args.floor), nn.Linear(24, 7))
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for epoch in range(10):
        right = 0
        for sound, pitch in loader:
            optimizer.zero_grad()
            logits = net(sound)
            loss = nn.functional.cross_entropy(logits, pitch)
            loss.backward()
            optimizer.step()
            right += (logits.argmax(1) == pitch).sum().item()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f} accuracy {right / 1600:.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
