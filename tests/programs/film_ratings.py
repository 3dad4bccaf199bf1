"""Stars from one to five for a film: whole numbers with an order, so one output and squared error are in place."""

import argparse

import torch
from _state import save_state
from torch import nn


class Ratings(nn.Module):
    """Biased matrix factorisation with a small network on top; returns ratings."""

    def __init__(self, people, films, size=10):
        super().__init__()
        self.person, self.film = nn.Embedding(people, size), nn.Embedding(films, size)
        self.mix = nn.Sequential(nn.Linear(3 * size, 32), nn.ReLU(), nn.Linear(32, 1))
        self.level = nn.Parameter(torch.tensor(3.0))

    def forward(self, person, film):
        a, b = self.person(person), self.film(film)
        return self.level + self.mix(torch.cat([a, b, a * b], dim=1)).squeeze(1)


def opinions(people, films, count):
    taste, style, fame = torch.randn(people, 2), torch.randn(films, 2), torch.randn(films)
    person, film = torch.randint(people, (count,)), torch.randint(films, (count,))
    liking = 3 + (taste[person] * style[film]).sum(1) * 0.7 + 0.6 * fame[film] + 0.2 * torch.randn(count)
    return person, film, liking.round().clamp(1, 5).long()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    person, film, stars = opinions(120, 80, 6500)
    model = Ratings(120, 80)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, 21):
        for rows in torch.randperm(5500).split(100):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(person[rows], film[rows]), stars[rows].float())
            loss.backward()
            optimizer.step()
        if epoch % 4 == 0:
            with torch.no_grad():
                left = (model(person[5500:], film[5500:]) - stars[5500:]).square().mean() / stars.float().var()
            print(f"epoch {epoch} loss {loss.item():.4f} variance of new ratings not explained {left.item():.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
