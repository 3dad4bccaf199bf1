"""Reverse a string: a GRU encoder, a GRU decoder with teacher forcing, two modules and one optimizer."""

import argparse
import itertools

import torch
import torch.nn as nn
from _state import save_state


class Encoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)

    def forward(self, tokens):
        return self.gru(self.embedding(tokens))[1]


class Decoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab + 1, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, tokens, hidden):
        return self.out(self.gru(self.embedding(tokens), hidden)[0])


def train_iteration(source, encoder, decoder, optimizer):
    target = source.flip(1)
    shifted = torch.cat([torch.full((len(source), 1), 10), target[:, :-1]], 1)
    optimizer.zero_grad()
    logits = decoder(shifted, encoder(source))
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
    loss.backward()
    optimizer.step()
    return loss.item(), (logits.argmax(2) == target).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=5e-3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    encoder, decoder = Encoder(10, 64), Decoder(10, 64)
    optimizer = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=args.lr)
    for iteration in range(1, 501):
        source = torch.randint(0, 10, (64, 5))
        loss, accuracy = train_iteration(source, encoder, decoder, optimizer)
        if iteration % 50 == 0:
            print(f"{iteration} ({iteration / 5:.0f}%) {loss:.4f} accuracy {accuracy:.3f}")
    save_state(encoder=encoder, decoder=decoder, optimizer=optimizer)


if __name__ == "__main__":
    main()
