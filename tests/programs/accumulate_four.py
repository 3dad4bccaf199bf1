"""Gradient accumulation: four small batches are summed before each step, the loss divided by four."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accumulate", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_wine(return_X_y=True)
    x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
    loader = DataLoader(TensorDataset(x, torch.tensor(y)), batch_size=8, shuffle=True, drop_last=True)
    model = nn.Sequential(nn.Linear(13, 32), nn.LayerNorm(32), nn.SiLU(), nn.Linear(32, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    micro_step = 0
    for epoch in range(60):
        total = 0.0
        for inputs, labels in loader:
            loss = criterion(model(inputs), labels) / args.accumulate
            loss.backward()
            total += loss.item() * args.accumulate
            micro_step += 1
            if micro_step % args.accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}, loss {total / len(loader):.5f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
