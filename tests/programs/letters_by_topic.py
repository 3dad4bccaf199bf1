"""Sort letters into four topics: bags of words, EmbeddingBag, a Trainer that takes batches from a sampler."""

import argparse
import random

import torch
from _state import save_state
from torch import nn
from torch.utils.data import BatchSampler, RandomSampler, SequentialSampler

WORDS, TOPICS = 400, 4


def letters(count, rng):
    """A third of a letter's words belongs to its topic; letters are sorted by topic and length, as in an archive."""
    archive = []
    for _ in range(count):
        topic, length = rng.randrange(TOPICS), rng.randrange(8, 30)
        words = [rng.randrange(topic * 60, topic * 60 + 60) if rng.random() < 0.3 else rng.randrange(WORDS)
                 for _ in range(length)]  # fmt: skip
        archive.append((topic, words))
    return sorted(archive, key=lambda letter: (letter[0], len(letter[1])))


def collate(batch):
    offsets = torch.tensor([0, *(len(words) for _, words in batch)]).cumsum(0)[:-1]
    words = torch.tensor([word for _, words in batch for word in words])
    return words, offsets, torch.tensor([topic for topic, _ in batch])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampler", choices=["random", "sequential"], default="random")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    archive, new_letters = letters(1600, rng), letters(400, rng)
    bag, topic = nn.EmbeddingBag(WORDS, 24, mode="mean"), nn.Linear(24, TOPICS)
    model = nn.ModuleDict({"bag": bag, "topic": topic})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.7, momentum=0.5)
    sampler = RandomSampler(archive) if args.sampler == "random" else SequentialSampler(archive)
    for epoch in range(1, 11):
        for rows in BatchSampler(sampler, 20, drop_last=False):
            words, offsets, target = collate([archive[row] for row in rows])
            loss = nn.functional.cross_entropy(topic(bag(words, offsets)), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            words, offsets, target = collate(new_letters)
            logits = topic(bag(words, offsets))
        right = (logits.argmax(1) == target).float().mean().item()
        print(f"epoch {epoch} new letters: loss {nn.functional.cross_entropy(logits, target):.4f} right {right:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
