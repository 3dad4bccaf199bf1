"""Counts of events explained by eight covariates: a Poisson likelihood written by hand, Adagrad."""

import argparse

import torch
from _state import save_state
from torch import nn


class CountModel(nn.Module):
    def __init__(self, link: str) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 24), nn.SiLU(), nn.Linear(24, 1))
        self.link = link
        nn.init.constant_(self.net[-1].bias, 1.0)

    def forward(self, covariates: torch.Tensor) -> torch.Tensor:
        score = self.net(covariates).squeeze(-1)
        return torch.nn.functional.softplus(score) if self.link == "softplus" else score


def negative_log_likelihood(rate: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    return (rate - count * torch.log(rate)).mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--link", choices=["softplus", "identity"], default="softplus")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    covariates = torch.randn(2000, 8)
    rate = torch.exp(0.4 * covariates[:, 0] - 0.5 * covariates[:, 1] * covariates[:, 2].tanh() + 0.5)
    counts = torch.poisson(rate)
    model = CountModel(args.link)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    for epoch in range(30):
        total = 0.0
        for rows in torch.randperm(2000).chunk(40):
            loss = negative_log_likelihood(model(covariates[rows]), counts[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 40
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} negative log likelihood {total:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
