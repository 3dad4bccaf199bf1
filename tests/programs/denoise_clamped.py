"""A convolutional network takes the noise off digits; its output is clamped to the range of a pixel; NAdam."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader


class Denoiser(nn.Module):
    def __init__(self, first_level: float) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 16, 3, padding=1), nn.SiLU()
        )
        self.outer = nn.Conv2d(16, 1, 3, padding=1)
        nn.init.constant_(self.outer.bias, first_level)

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        return self.outer(self.inner(noisy)).clamp(0.0, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-level", type=float, default=0.5, help="brightness that the network starts from")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    images = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
    model = Denoiser(args.first_level)
    optimizer = torch.optim.NAdam(model.parameters(), lr=2e-3)
    for epoch in range(1, 7):
        total = 0.0
        for clean in DataLoader(images, batch_size=32, shuffle=True):
            loss = nn.functional.mse_loss(model(clean + 0.3 * torch.randn_like(clean)), clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(clean)
        print(f"epoch {epoch}: mean squared error {total / len(images):.5f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
