"""Complete a matrix of ratings: two factor matrices as raw tensors, full-batch gradient descent on the seen entries."""

import argparse

import torch
from _state import save_state


def ratings(users, items, rank, generator):
    """Return a matrix of the given rank with some noise, and which of its entries were seen."""
    left = torch.randn(users, rank, generator=generator)
    right = torch.randn(items, rank, generator=generator)
    table = left @ right.T / rank**0.5
    table += 0.05 * torch.randn(users, items, generator=generator)
    return table, torch.rand(users, items, generator=generator) < 0.5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=float, default=0.3, help="standard deviation of the first factors")
    args = parser.parse_args()
    generator = torch.Generator().manual_seed(args.seed)
    table, seen = ratings(60, 50, 4, generator)
    U = torch.nn.Parameter(args.start * torch.randn(60, 4, generator=generator))
    V = torch.nn.Parameter(args.start * torch.randn(50, 4, generator=generator))
    optimizer = torch.optim.SGD([U, V], lr=0.4)
    for step in range(1000):
        optimizer.zero_grad()
        error = (U @ V.T - table)[seen]
        loss = 10 * (error**2).mean()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == 999:
            hidden = ((U @ V.T - table)[~seen] ** 2).mean().sqrt()
            print(f"step {step} loss {loss.item():.5f} rmse on unseen {hidden.item():.4f}")
    save_state(U=U.detach(), V=V.detach(), optimizer=optimizer, generator=generator.get_state())


if __name__ == "__main__":
    main()
