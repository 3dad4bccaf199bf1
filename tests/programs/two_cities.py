"""Learn in one city, use in another: a gradient reversal layer hides which city the features come from (DANN)."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from _state import save_state


class Reverse(torch.autograd.Function):
    """The identity forwards; backwards the gradient changes its sign, so that the body works against the city head."""

    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.strength * grad, None


class Adversarial(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
        self.traffic = nn.Linear(24, 4)
        self.city = nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x, strength=0.0):
        features = self.body(x)
        return self.traffic(features), self.city(Reverse.apply(features, strength)).squeeze(1)


def streets(count, city):
    traffic = torch.randint(4, (count,))
    x = torch.randn(count, 8)
    x[:, :2] += 2.2 * torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])[traffic]
    x[:, 2:4] += 1.5 * city  # the second city is shifted
    return x / 1.5, traffic


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Adversarial()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    new_x, new_traffic = streets(500, city=1)
    steps = 600
    for step in range(1, steps + 1):
        here, traffic = streets(40, city=0)
        there, _ = streets(40, city=1)
        strength = 0.3 * step / steps
        said, city = model(torch.cat([here, there]), strength)
        is_there = torch.arange(80).ge(40).float()
        loss = F.cross_entropy(said[:40], traffic) + F.binary_cross_entropy_with_logits(city, is_there)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            with torch.no_grad():
                accuracy = (model(new_x)[0].argmax(1) == new_traffic).float().mean().item()
            print(f"step {step} loss {loss.item():.4f} accuracy in the new city {accuracy:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
