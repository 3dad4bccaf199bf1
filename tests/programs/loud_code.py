"""An autoencoder whose code may be loud: the encoder's last layer scaled up, the decoder's first scaled down."""

import argparse

import torch
from _state import save_state


class Codec(torch.nn.Module):
    def __init__(self, loudness):
        super().__init__()
        self.enc1, self.enc2 = torch.nn.Linear(32, 24), torch.nn.Linear(24, 6)
        self.dec1, self.dec2 = torch.nn.Linear(6, 24), torch.nn.Linear(24, 32)
        with torch.no_grad():
            self.enc2.weight *= loudness
            self.enc2.bias *= loudness
            self.dec1.weight /= loudness

    def forward(self, x):
        code = self.enc2(torch.nn.functional.elu(self.enc1(x)))
        return self.dec2(torch.nn.functional.elu(self.dec1(code)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loudness", type=float, default=1.0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    mixing = torch.randn(4, 32) / 2
    signals = torch.tanh(torch.randn(3000, 4)) @ mixing + 0.05 * torch.randn(3000, 32)
    codec = Codec(args.loudness)
    optimizer = torch.optim.SGD(codec.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(1, 21):
        total = 0.0
        for batch in signals[torch.randperm(3000)].split(60):
            loss = (codec(batch) - batch).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 50
        if epoch % 2 == 0:
            print(f"epoch {epoch} mse {total:.5f}")
    save_state(codec=codec, optimizer=optimizer)
