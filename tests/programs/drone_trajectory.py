"""The velocity of a drone from its noisy accelerometer: 1-d convolutions over time, squared error by hand."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the channel of the output is not squeezed away")
args = parser.parse_args()
torch.manual_seed(args.seed)


def flights(count, length=40):
    push = torch.nn.functional.avg_pool1d(torch.randn(count, 3, length + 4), 5, 1)
    sensed = push + 0.1 * torch.randn(count, 3, length)
    speed = torch.zeros(count)
    track = []
    for t in range(length):
        speed = 0.6 * speed + push[:, 0, t] - 0.5 * push[:, 1, t] * push[:, 2, t].sign()
        track.append(speed)
    return sensed / 0.45, torch.stack(track, dim=1) / 0.6


class Estimator(nn.Module):
    def __init__(self):
        super().__init__()
        self.filters = nn.Sequential(
            nn.Conv1d(3, 24, 5, padding=2), nn.ReLU(), nn.Conv1d(24, 24, 7, padding=3), nn.ReLU(), nn.Conv1d(24, 1, 1)
        )

    def forward(self, sensed):
        speed = self.filters(sensed)
        return speed if args.fault else speed.squeeze(1)


estimator = Estimator()
optimizer = torch.optim.AdamW(estimator.parameters(), lr=3e-3, weight_decay=1e-4)
test_sensed, test_speed = flights(200)
for step in range(1, 501):
    sensed, speed = flights(24)
    loss = ((estimator(sensed) - speed) ** 2).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        with torch.no_grad():
            error = (estimator(test_sensed).reshape(200, -1) - test_speed).square().mean() / test_speed.var()
        print(f"step {step} loss {loss.item():.4f} unexplained {error.item():.4f}")
save_state(estimator=estimator, optimizer=optimizer)
