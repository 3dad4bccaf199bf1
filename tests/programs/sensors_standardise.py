"""Faults of a machine from sixteen sensors, one of which is stuck: standardise, multi-label BCE, AdamW."""

import argparse

import torch
from _state import save_state
from torch.utils.data import DataLoader, Dataset


class Sensors(Dataset):
    def __init__(self, count, safe):
        readings = torch.randn(count, 16) * torch.logspace(-2, 3, 16) + 20
        clean = (readings - 20) / torch.logspace(-2, 3, 16)
        faults = [clean[:, 0] > 0.5, clean[:, 1] * clean[:, 2] > 0, clean[:, 5] < clean[:, 6]]
        self.labels = torch.stack(faults, 1).float()
        readings[:, 9] = 7.0  # this one always says the same
        std = readings.std(0)
        self.readings = (readings - readings.mean(0)) / (std.clamp(min=1e-6) if safe else std)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"x": self.readings[i], "y": self.labels[i]}


def train_epoch(model, loader, optimizer, loss_fn):
    total, right = 0.0, 0.0
    for batch in loader:
        optimizer.zero_grad()
        logits = model(batch["x"])
        loss = loss_fn(logits, batch["y"])
        loss.backward()
        optimizer.step()
        total += loss.item()
        right += ((logits > 0) == batch["y"].bool()).float().mean().item()
    return total / len(loader), right / len(loader)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="divide by a deviation of zero")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    loader = DataLoader(Sensors(1500, not args.fault), batch_size=50, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Linear(16, 64), torch.nn.ELU(), torch.nn.Linear(64, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01)
    for epoch in range(25):
        loss, accuracy = train_epoch(model, loader, optimizer, torch.nn.BCEWithLogitsLoss())
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d} bce {loss:.4f} label accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)
