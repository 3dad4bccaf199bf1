"""Guess the language of made-up names from their letters: an LSTM cell by hand over time, SGD with momentum, epochs."""

import argparse
import random
import string

import torch
from _state import save_state
from torch import nn

SYLLABLES = {
    "north": ["sk", "jor", "vik", "sen", "gard", "ulf"],
    "south": ["ello", "ina", "ta", "rosa", "co", "ini"],
    "east": ["chen", "li", "zhao", "wu", "xi", "min"],
}
LETTERS = "." + string.ascii_lowercase


def name(rng):
    label = rng.randrange(3)
    syllables = list(SYLLABLES.values())[label]
    word = "".join(rng.choice(syllables) for _ in range(3))[:9]
    return [LETTERS.index(c) for c in word.ljust(9, ".")], label


class NameNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.cell = nn.LSTMCell(len(LETTERS), hidden)
        self.decide = nn.Linear(hidden, 3)

    def forward(self, letters):
        one_hot = nn.functional.one_hot(letters, len(LETTERS)).float()
        state = None
        for step in one_hot.unbind(1):
            state = self.cell(step, state)
        return self.decide(state[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--zero-grad", choices=["step", "epoch"], default="step")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    words, labels = (torch.tensor(column) for column in zip(*(name(rng) for _ in range(1200)), strict=False))
    net = NameNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(12):
        optimizer.zero_grad()
        total, right = 0.0, 0
        for rows in torch.randperm(1200).split(30):
            if args.zero_grad == "step":
                optimizer.zero_grad()
            scores = net(words[rows])
            loss = nn.functional.cross_entropy(scores, labels[rows])
            loss.backward()
            optimizer.step()
            total, right = total + loss.item(), right + (scores.argmax(1) == labels[rows]).sum().item()
        print(f"Epoch {epoch + 1:2d} loss {total / 40:.4f} accuracy {right / 1200:.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
