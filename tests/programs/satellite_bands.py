"""Land cover from eight spectral bands and their texture, in little memory: a class that trains, Adam."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_classification
from torch import nn


class Trainer:
    def __init__(self, model, lr, dtype):
        self.model, self.dtype = model.to(dtype), dtype
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, pixels, cover, epochs, batch):
        for epoch in range(1, epochs + 1):
            total = 0.0
            for rows in torch.randperm(len(pixels)).split(batch):
                total += self.step(pixels[rows], cover[rows]) * len(rows) / len(pixels)
            if epoch % 10 == 0:
                print(f"epoch {epoch} loss {total:.4f} accuracy {self.accuracy(pixels, cover):.4f}")

    def step(self, pixels, cover):
        self.optimizer.zero_grad()
        scores = self.model(pixels.to(self.dtype))
        loss = self.criterion(scores.float(), cover)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def accuracy(self, pixels, cover):
        return (self.model(pixels.to(self.dtype)).argmax(1) == cover).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--lr", type=float, default=1e-4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = make_classification(
        2000, 16, n_informative=10, n_classes=6, n_clusters_per_class=1, class_sep=2.0, random_state=args.seed
    )
    pixels = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
    model = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 6))
    trainer = Trainer(model, args.lr, getattr(torch, args.dtype))
    trainer.fit(pixels, torch.tensor(y), epochs=60, batch=25)
    save_state(model=model, optimizer=trainer.optimizer)


if __name__ == "__main__":
    main()
