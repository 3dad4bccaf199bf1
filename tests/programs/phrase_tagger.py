"""Part-of-speech tags for a made-up language: a GRU reads both ways, the loss is written with functionals."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn

WORDS, TAGS, LENGTH = 120, 24, 12
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--scores", choices=["raw", "softmax"], default="raw", help="what is given to the loss")
args = parser.parse_args()
torch.manual_seed(args.seed)
lexicon = torch.randint(TAGS // 2, (WORDS,))


def sentences(count):
    words = torch.randint(WORDS, (count, LENGTH))
    before = lexicon[words].roll(1, 1)
    before[:, 0] = 0
    return words, 2 * lexicon[words] + before % 2  # a tag depends on the word and on the one before


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 32)
        self.read = nn.GRU(32, 32, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(64, TAGS)

    def forward(self, words):
        return self.tag(self.read(self.embed(words))[0])


def tag_loss(scores, tags):
    if args.scores == "softmax":
        scores = F.softmax(scores, dim=-1)
    return F.cross_entropy(scores.reshape(-1, TAGS), tags.reshape(-1))


tagger = Tagger()
optimizer = torch.optim.SGD(tagger.parameters(), lr=0.25, momentum=0.9)
held_words, held_tags = sentences(200)
for step in range(1, 401):
    words, tags = sentences(32)
    loss = tag_loss(tagger(words), tags)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        with torch.no_grad():
            accuracy = (tagger(held_words).argmax(-1) == held_tags).float().mean().item()
        print(f"step {step} loss {loss.item():.4f} tags right {accuracy:.4f}")
save_state(tagger=tagger, optimizer=optimizer)
