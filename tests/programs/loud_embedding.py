"""Next-word prediction from three words before (Bengio's model): embedding, tanh layer, softmax; SGD."""

import argparse
import itertools

import torch
import torch.nn as nn
from _state import save_state

CHOICES = ["anna ben carl dina", "sees likes buys sells", "the", "big small red", "car house dog hat", "today often"]
SENTENCES = [" ".join(words) for words in itertools.product(*(choice.split() for choice in CHOICES))]


class Bengio(nn.Module):
    def __init__(self, words, embedding_std, projection_std):
        super().__init__()
        self.embedding = nn.Embedding(words, 16)
        self.projection = nn.Linear(48, 32)
        self.output = nn.Linear(32, words)
        nn.init.normal_(self.embedding.weight, std=embedding_std)
        nn.init.normal_(self.projection.weight, std=projection_std)

    def forward(self, context):
        return self.output(torch.tanh(self.projection(self.embedding(context).flatten(1))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--embedding-std", type=float, default=1.0)
    parser.add_argument("--projection-std", type=float, default=0.144)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    words = sorted({w for s in SENTENCES for w in s.split()} | {"."})
    code = {w: i for i, w in enumerate(words)}
    rows = [[code[w] for w in [".", ".", ".", *s.split(), "."]] for s in SENTENCES]
    grams = torch.tensor([row[i : i + 4] for row in rows for i in range(len(row) - 3)])
    model = Bengio(len(words), args.embedding_std, args.projection_std)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(15):
        total = 0.0
        for part in grams[torch.randperm(len(grams))].split(64):
            loss = nn.functional.cross_entropy(model(part[:, :3]), part[:, 3])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        print(f"epoch {epoch + 1} loss {total / len(grams):.4f} perplexity {2.71828 ** (total / len(grams)):.2f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
