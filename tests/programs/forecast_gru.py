"""A GRU predicts a noisy sum of sines one step ahead: sequence regression with MSE, Adam and clipping."""

import argparse

import torch
import torch.nn as nn
from _state import save_state


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.project = nn.Linear(hidden, 1)

    def forward(self, series):
        return self.project(self.gru(series)[0])


def series(count, length=41):
    time = torch.arange(float(length))
    speed = 0.2 + 0.3 * torch.rand(count, 1)
    phase = 6.28 * torch.rand(count, 1)
    wave = torch.sin(speed * time + phase) + 0.5 * torch.sin(2.3 * speed * time)
    return (wave + 0.05 * torch.randn(count, length)).unsqueeze(-1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--offset", type=float, default=0.0, help="level that the measurements stand on")
    parser.add_argument("--gain", type=float, default=1.0, help="scale of the first weights")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Forecaster()
    with torch.no_grad():
        for weight in (model.gru.weight_ih_l0, model.gru.weight_hh_l0, model.gru.bias_ih_l0):
            weight.mul_(args.gain)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.MSELoss()
    recent = []
    for iteration in range(1, 401):
        data = series(32)
        prediction = model(args.offset + data[:, :-1])
        loss = criterion(prediction, data[:, 1:])
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        if iteration % 50 == 0:
            print(f"iteration {iteration}, loss {sum(recent) / len(recent):.5f}")
            recent.clear()
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
