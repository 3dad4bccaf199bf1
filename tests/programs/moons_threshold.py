"""Two moons, a small network with a thresholded ReLU as its own autograd-friendly module, RMSprop."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_moons
from torch import nn


class ShiftedReLU(nn.Module):
    """max(0, x - shift)."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x - self.shift)


def evaluate(model, x, y):
    with torch.no_grad():
        scores = model(x).flatten()
    return ((scores > 0).float() == y).float().mean().item()


def run(seed, shift, epochs=60):
    torch.manual_seed(seed)
    x, y = make_moons(1000, noise=0.1, random_state=seed)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    model = nn.Sequential(nn.Linear(2, 32), ShiftedReLU(shift), nn.Linear(32, 32), ShiftedReLU(shift), nn.Linear(32, 1))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95)
    objective = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        mean = 0.0
        for chunk in torch.randperm(len(x)).split(50):
            loss = objective(model(x[chunk]).flatten(), y[chunk])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean += loss.item() / 20
        if epoch % 10 == 9:
            print(f"epoch={epoch + 1} loss={mean:.4f} accuracy={evaluate(model, x, y):.3f}")
    return model, optimizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", type=float, default=0.0)
    args = parser.parse_args()
    model, optimizer = run(args.seed, args.shift)
    save_state(model=model, optimizer=optimizer)
