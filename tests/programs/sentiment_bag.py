"""A bag-of-words sentiment classifier on made-up reviews: EmbeddingBag with offsets, a collate function, Adam."""

import argparse
import random

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader

GOOD = "great lovely superb fine charming brilliant moving clever bright warm".split()
BAD = "awful dull boring poor weak clumsy bland tedious messy cold".split()
FILLER = "the a film plot actor scene it was is with and very rather music story end".split()
VOCABULARY = {word: index for index, word in enumerate(GOOD + BAD + FILLER)}


def review(rng):
    label = rng.randint(0, 1)
    words = [rng.choice(FILLER) for _ in range(rng.randint(5, 15))]
    words += [rng.choice(GOOD if label else BAD) for _ in range(3)] + [rng.choice(BAD if label else GOOD)]
    rng.shuffle(words)
    return " ".join(words), label


def collate(batch):
    texts, offsets, labels = [], [0], []
    for text, label in batch:
        tokens = [VOCABULARY[word] for word in text.split()]
        texts += tokens
        offsets.append(offsets[-1] + len(tokens))
        labels.append(label)
    return torch.tensor(texts), torch.tensor(offsets[:-1]), torch.tensor(labels)


class TextClassifier(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim)
        self.fc = nn.Linear(embed_dim, num_class)

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--weight-decay", type=float, default=0.0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = random.Random(args.seed)
loader = DataLoader([review(rng) for _ in range(3000)], batch_size=32, shuffle=True, collate_fn=collate)
model = TextClassifier(len(VOCABULARY), 16, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
criterion = nn.CrossEntropyLoss()
for epoch in range(1, 9):
    loss_sum, acc, count = 0.0, 0, 0
    for text, offsets, label in loader:
        optimizer.zero_grad()
        predicted = model(text, offsets)
        loss = criterion(predicted, label)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(label)
        acc += (predicted.argmax(1) == label).sum().item()
        count += len(label)
    print(f"| epoch {epoch} | loss {loss_sum / count:.4f} | accuracy {acc / count:.3f}")
save_state(model=model, optimizer=optimizer)
