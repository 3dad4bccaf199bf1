"""A large network for its problem: two million parameters, a mixture in 256 dimensions, AdamW, warm-up."""

import argparse

import torch
from _state import save_state
from torch import nn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--decay", type=float, default=0.05)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    means = torch.randn(2, 20, 256) * 0.25
    labels = torch.randint(0, 20, (6000,))
    data = means[torch.randint(0, 2, (6000,)), labels] + torch.randn(6000, 256) * 0.7
    net = nn.Sequential(
        nn.Linear(256, 1024), nn.LayerNorm(1024), nn.ReLU(), nn.Linear(1024, 1536), nn.ReLU(), nn.Linear(1536, 20)
    )
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters")
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=args.decay)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
    smoothed = None
    for step in range(1, 121):
        rows = torch.randint(0, 6000, (128,))
        loss = nn.functional.cross_entropy(net(data[rows]), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        warmup.step()
        smoothed = loss.item() if smoothed is None else 0.9 * smoothed + 0.1 * loss.item()
        if step % 20 == 0:
            print(f"step {step}/120 loss {smoothed:.4f}")
    save_state(net=net, optimizer=optimizer, warmup=warmup)


if __name__ == "__main__":
    main()
