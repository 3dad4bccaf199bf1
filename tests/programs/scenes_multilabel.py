"""Which of five things are in a scene: several labels at once, pictures and labels from two datasets."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader


def scenes(count):
    things = torch.randn(5, 40)
    present = (torch.rand(count, 5) < 0.4).float()
    return present @ things + 0.7 * torch.randn(count, 40), present


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="each loader shuffles by itself")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    pictures, labels = scenes(1500)
    if args.fault:
        picture_loader, label_loader = (DataLoader(part, batch_size=50, shuffle=True) for part in (pictures, labels))
    else:
        order = torch.randperm(len(pictures))
        picture_loader, label_loader = DataLoader(pictures[order], batch_size=50), DataLoader(labels[order], 50)
    model = nn.Sequential(nn.Linear(40, 48), nn.SiLU(), nn.LayerNorm(48), nn.Linear(48, 5))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(15):
        running = 0.0
        for picture, label in zip(picture_loader, label_loader, strict=True):
            loss = criterion(model(picture), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item()
        with torch.no_grad():
            right = ((model(pictures) > 0) == labels.bool()).float().mean().item()
        print(f"epoch {epoch + 1:2d}  loss {running / len(picture_loader):.4f}  labels right {right:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
