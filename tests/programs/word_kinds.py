"""The kind of every word in a sentence: bidirectional LSTM, tags from a word and the one before it, Adam."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Tagger(nn.Module):
    def __init__(self, words, tags):
        super().__init__()
        self.embed = nn.Embedding(words, 24)
        self.lstm = nn.LSTM(24, 24, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(48, tags)

    def forward(self, sentence):
        return self.tag(self.lstm(self.embed(sentence))[0])


def corpus(count, length=12):
    words = torch.randint(60, (count, length))
    before = torch.cat([torch.zeros(count, 1, dtype=torch.long), words[:, :-1]], 1)
    return words, (words % 5 + (before % 2) * 2) % 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="the tags of the sentence before")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    words, tags = corpus(1000)
    held_words, held_tags = corpus(200)
    loader = DataLoader(TensorDataset(words, tags), batch_size=25, shuffle=True)
    model = Tagger(60, 5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(8):
        for sentence, target in loader:
            if args.fault:
                target = torch.roll(target, 1, dims=0)
            loss = nn.functional.cross_entropy(model(sentence).transpose(1, 2), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (model(held_words).argmax(-1) == held_tags).float().mean().item()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, held-out accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
