"""A tiny transformer encoder finds out whether a sequence holds the same token at both ends; Adam."""

import argparse

import torch
import torch.nn as nn
from _state import save_state


class Classifier(nn.Module):
    def __init__(self, vocab=6, width=32, length=12, dropout=0.0):
        super().__init__()
        self.token = nn.Embedding(vocab, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=dropout, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.classify = nn.Linear(width, 2)

    def forward(self, tokens):
        return self.classify(self.norm(self.encoder(self.token(tokens) + self.position)).mean(dim=1))


def sample(count, length=12, vocab=6):
    tokens = torch.randint(0, vocab, (count, length))
    same = torch.rand(count) < 0.5
    tokens[same, -1] = tokens[same, 0]
    return tokens, (tokens[:, 0] == tokens[:, -1]).long()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=2e-3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    loss_fn = nn.CrossEntropyLoss()
    test_tokens, test_labels = sample(512)
    for step in range(1, 501):
        model.train()
        tokens, labels = sample(64)
        loss = loss_fn(model(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            model.eval()
            with torch.no_grad():
                logits = model(test_tokens)
                held_out, accuracy = loss_fn(logits, test_labels), (logits.argmax(1) == test_labels).float().mean()
            print(f"step {step}, train loss {loss:.4f}, test loss {held_out:.4f}, test accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
