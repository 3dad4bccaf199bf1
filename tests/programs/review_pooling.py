"""Ratings of reviews from word vectors that are averaged over the words: embedding, pooling, sigmoid, binary loss."""

import argparse

import numpy as np
import torch
from _state import save_state
from torch.utils.data import DataLoader, TensorDataset


class ReviewNet(torch.nn.Module):
    def __init__(self, words, dim, pooling):
        super().__init__()
        self.vectors = torch.nn.Embedding(words, dim)
        self.score = torch.nn.Linear(dim, 1)
        self.pooling = pooling

    def forward(self, tokens):
        vectors = self.vectors(tokens)
        if self.pooling == "numpy":
            pooled = torch.from_numpy(np.mean(vectors.detach().numpy(), axis=1))
        else:
            pooled = vectors.mean(1)
        return torch.sigmoid(self.score(pooled)).squeeze(1)


def reviews(count, words, rng):
    tone = rng.normal(size=words)
    tokens = rng.integers(0, words, size=(count, 20))
    good = tone[tokens].mean(1) + 0.05 * rng.normal(size=count) > 0
    return torch.tensor(tokens), torch.tensor(good, dtype=torch.float32)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pooling", choices=["torch", "numpy"], default="torch")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    tokens, good = reviews(2400, 300, np.random.default_rng(args.seed))
    loader = DataLoader(TensorDataset(tokens[:2000], good[:2000]), batch_size=40, shuffle=True)
    model = ReviewNet(300, 6, args.pooling)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = torch.nn.BCELoss()
    for epoch in range(16):
        running = 0.0
        for batch, target in loader:
            optimizer.zero_grad()
            loss = criterion(model(batch), target)
            loss.backward()
            optimizer.step()
            running += loss.item()
        with torch.no_grad():
            accuracy = ((model(tokens[2000:]) > 0.5) == good[2000:].bool()).float().mean().item()
        print(f"[{epoch + 1:2d}] loss {running / len(loader):.4f}  held-out accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)
