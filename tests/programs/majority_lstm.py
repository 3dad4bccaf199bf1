"""An LSTM counts: which of two symbols came more often in a sequence of 20? Adam, fresh data at every step."""

import sys

import torch
import torch.nn as nn
from _state import save_state


class Majority(nn.Module):
    def __init__(self, symbols=3, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(symbols, 8)
        self.lstm = nn.LSTM(8, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)

    def forward(self, tokens):
        states, _ = self.lstm(self.embed(tokens))
        return self.out(states[:, -1])


def batch(size=64, length=20):
    tokens = torch.randint(0, 3, (size, length))
    return tokens, ((tokens == 0).sum(1) > (tokens == 1).sum(1)).long()


def main(seed=0, lr=5e-3, steps=300):
    torch.manual_seed(seed)
    model = Majority()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    window = []
    for step in range(steps):
        tokens, target = batch()
        logits = model(tokens)
        loss = nn.functional.cross_entropy(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        window = [*window[-49:], (loss.item(), (logits.argmax(1) == target).float().mean().item())]
        if step % 50 == 49:
            loss_mean, accuracy = (sum(column) / len(window) for column in zip(*window, strict=False))
            print(f"step {step + 1} loss {loss_mean:.4f} accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    main(int(options.get("--seed", 0)), float(options.get("--lr", 5e-3)))
