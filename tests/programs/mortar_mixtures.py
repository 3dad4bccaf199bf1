"""Strength of mortar from its recipe and age: a Dataset, a DataLoader, MSELoss, Adam."""

import argparse

import torch
import torch.nn as nn
from _state import save_state
from torch.utils.data import DataLoader, Dataset


class Mixtures(Dataset):
    """Mixtures with a strength that grows with cement and age and falls with water."""

    def __init__(self, count, generator, column):
        cement, slag, water, ash, age = torch.rand(5, count, generator=generator)
        strength = 3 * cement + 1.5 * slag * age - 4 * (water - 0.3) ** 2 + torch.log(age + 0.1) + 0.5 * ash * cement
        strength = strength + 0.1 * torch.randn(count, generator=generator)
        self.recipes = (torch.stack([cement, slag, water, ash, age], dim=1) - 0.5) * 12**0.5
        self.strengths = (strength - 0.9) / 1.27
        if column:
            self.strengths = self.strengths.unsqueeze(1)

    def __len__(self):
        return len(self.recipes)

    def __getitem__(self, index):
        return self.recipes[index], self.strengths[index]


def score(model, mixtures):
    with torch.no_grad():
        left = (model(mixtures.recipes).flatten() - mixtures.strengths.flatten()).square().mean()
    return 1 - left.item() / mixtures.strengths.var().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="the targets are a plain vector, the outputs a column")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    train, test = (Mixtures(n, generator, column=not args.fault) for n in (1500, 500))
    loader = DataLoader(train, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, 21):
        for recipes, strengths in loader:
            optimizer.zero_grad()
            loss = criterion(model(recipes), strengths)
            loss.backward()
            optimizer.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}  loss {loss.item():.4f}  R2 on the test mixtures {score(model, test):.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
