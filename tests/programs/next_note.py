"""The next note of a melody: melodies of a made-up grammar, embedding, GRU, cross-entropy over all places."""

import argparse

import torch
from _state import save_state
from torch import nn

NOTES = 16


class Composer(nn.Module):
    def __init__(self):
        super().__init__()
        self.notes = nn.Embedding(NOTES, 24)
        self.gru = nn.GRU(24, 48, batch_first=True)
        self.out = nn.Linear(48, NOTES)

    def forward(self, melody):
        hidden, _ = self.gru(self.notes(melody))
        return self.out(hidden)


def melodies(count, length=24):
    """Every note follows from the two before it, but one in twenty is free."""
    table = torch.randint(NOTES, (NOTES, 4), generator=torch.Generator().manual_seed(5))
    notes = torch.randint(NOTES, (count, length))
    for t in range(2, length):
        following = table[notes[:, t - 1], notes[:, t - 2] % 4]
        notes[:, t] = torch.where(torch.rand(count) < 0.05, notes[:, t], following)
    return notes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shift", type=int, default=1, help="how far ahead the target lies")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    data, test = melodies(960), melodies(200)
    model = Composer()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    length = data.shape[1] - 1
    for epoch in range(1, 11):
        for rows in torch.randperm(len(data)).split(32):
            inputs, targets = data[rows, :length], data[rows, args.shift : args.shift + length]
            logits = model(inputs)
            loss = nn.functional.cross_entropy(logits.reshape(-1, NOTES), targets.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        with torch.no_grad():
            guessed = (model(test[:, :-1]).argmax(-1) == test[:, 1:]).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} next note guessed {guessed:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
