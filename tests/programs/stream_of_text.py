"""A stateful character LSTM on one long stream: the state is carried over and detached between chunks of 20."""

import argparse

import torch
from _state import save_state
from torch import nn

RHYME = "the quick brown fox jumps over the lazy dog while five boxing wizards vex a jumbled quartz sphinx ; "


class Stream(nn.Module):
    def __init__(self, letters, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(letters, 16)
        self.lstm = nn.LSTM(16, hidden)
        self.out = nn.Linear(hidden, letters)

    def forward(self, chunk, state):
        output, state = self.lstm(self.embed(chunk), state)
        return self.out(output), state


def repackage(state):
    """Cut the history off, so that gradients end where the chunk begins."""
    return tuple(part.detach() for part in state)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    alphabet = sorted(set(RHYME))
    stream = torch.tensor([alphabet.index(letter) for letter in RHYME * 64])
    columns = stream[: len(stream) // 16 * 16].view(16, -1).t()
    model = Stream(len(alphabet))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, 13):
        state = (torch.zeros(1, 16, 64), torch.zeros(1, 16, 64))
        total, chunks = 0.0, range(0, len(columns) - 1 - 20, 20)
        for start in chunks:
            inputs, targets = columns[start : start + 20], columns[start + 1 : start + 21]
            logits, state = model(inputs, repackage(state))
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() / len(chunks)
        print(f"epoch {epoch} loss {total:.4f} (uniform {torch.tensor(len(alphabet)).log():.2f})")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
