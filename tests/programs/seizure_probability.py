"""Seizure or not, from a short noisy wave: a 1-d CNN whose last layer is turned into probabilities for BCELoss."""

import argparse
import math

import torch
import torch.nn as nn
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--probability", choices=["sigmoid", "softmax"], default="sigmoid")
args = parser.parse_args()
torch.manual_seed(args.seed)


def recordings(count, length=64):
    seizure = torch.rand(count, 1) < 0.4
    time = torch.arange(length) / length
    slow = torch.sin(2 * math.pi * (3 * time + torch.rand(count, 1)))
    spikes = torch.sin(2 * math.pi * (11 * time + torch.rand(count, 1)))
    wave = torch.where(seizure, 0.6 * slow + 0.8 * spikes, slow) + 0.7 * torch.randn(count, length)
    return wave.unsqueeze(1), seizure.float()


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 8, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 16, 5, padding=2), nn.ReLU()
        )
        self.head = nn.Linear(16, 1)
        self.probability = nn.Sigmoid() if args.probability == "sigmoid" else nn.Softmax(dim=1)

    def forward(self, wave):
        return self.probability(self.head(self.body(wave).mean(2)))


waves, labels = recordings(1600)
test_waves, test_labels = recordings(600)
detector = Detector()
criterion = nn.BCELoss()
optimizer = torch.optim.RMSprop(detector.parameters(), lr=2e-3)
for epoch in range(10):
    losses = []
    for rows in torch.randperm(1600).split(40):
        loss = criterion(detector(waves[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        right = ((detector(test_waves) > 0.5) == (test_labels > 0.5)).float().mean().item()
    print(f"epoch {epoch + 1} loss {sum(losses) / len(losses):.4f} accuracy {right:.4f}")
save_state(detector=detector, optimizer=optimizer)
