"""Which of five rhythms does a signal carry? A 1-D convolutional network with ReLU, Adam and a one-cycle schedule."""

import argparse
import math

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def signals(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    label = torch.randint(5, (count,))
    time = torch.linspace(0, 1, 64)
    frequency = 3.0 + 2.0 * label[:, None] + 0.3 * torch.randn(count, 1)
    wave = torch.sin(2 * math.pi * (frequency * time + torch.rand(count, 1)))
    return (wave + 0.4 * torch.randn(count, 64)).unsqueeze(1), label


class RhythmNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 7, stride=2, padding=3), nn.ReLU(),
            nn.Conv1d(16, 32, 5, stride=2, padding=2), nn.ReLU(),
            nn.Conv1d(32, 32, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.classifier = nn.Linear(32 * 16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bias", type=float, default=None, help="start value of the biases of the convolutions")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    loader = DataLoader(TensorDataset(*signals(1500)), batch_size=50, shuffle=True)
    model = RhythmNet()
    if args.bias is not None:
        for module in model.features:
            if isinstance(module, nn.Conv1d):
                nn.init.constant_(module.bias, args.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, epochs=10, steps_per_epoch=len(loader))
    for epoch in range(10):
        loss_sum = hits = 0
        for signal, label in loader:
            logits = model(signal)
            loss = nn.functional.cross_entropy(logits, label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum, hits = loss_sum + loss.item() * len(label), hits + (logits.argmax(1) == label).sum().item()
        print(f"epoch {epoch}: {loss_sum / 1500:.4f} ({hits / 15:.1f} % right)")
    save_state(model=model, optimizer=optimizer, schedule=schedule)


if __name__ == "__main__":
    main()
