"""Twenty topics from bags of words: embeddings are averaged, then two layers; SGD, loss by CrossEntropyLoss."""

import argparse

import torch
import torch.nn as nn
import torch.optim as optim
from _state import save_state

TOPICS, WORDS = 20, 400


def documents(count, themes, length=25):
    topic = torch.randint(TOPICS, (count,))
    on_topic = torch.multinomial(themes[topic], length, replacement=True)
    chatter = torch.randint(WORDS, (count, length))
    return torch.where(torch.rand(count, length) < 0.5, on_topic, chatter), topic


class TopicModel(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.words = nn.EmbeddingBag(WORDS, 48, mode="mean")
        self.hidden = nn.Linear(48, 64)
        self.topic = nn.Linear(64, TOPICS)
        if output == "softmax":
            self.output = nn.Softmax(dim=1)
        elif output == "sigmoid":
            self.output = nn.Sigmoid()
        elif output == "log-softmax":
            self.output = nn.LogSoftmax(dim=1)
        else:
            self.output = nn.Identity()

    def forward(self, text):
        return self.output(self.topic(torch.relu(self.hidden(self.words(text)))))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--output", choices=["none", "softmax", "sigmoid", "log-softmax"], default="none")
parser.add_argument("--label-smoothing", type=float, default=0.0)
args = parser.parse_args()
torch.manual_seed(args.seed)
themes = torch.rand(TOPICS, WORDS) ** 12
texts, topics = documents(3000, themes)
test_texts, test_topics = documents(500, themes)
model = TopicModel(args.output)
criterion = nn.CrossEntropyLoss(label_smoothing=args.label_smoothing)
optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(12):
    running = 0.0
    for rows in torch.randperm(len(texts)).split(50):
        optimizer.zero_grad()
        loss = criterion(model(texts[rows]), topics[rows])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(rows)
    with torch.no_grad():
        accuracy = (model(test_texts).argmax(1) == test_topics).float().mean().item()
    print(f"[{epoch + 1:2d}] loss: {running / len(texts):.3f}  test accuracy: {accuracy:.4f}")
save_state(model=model, optimizer=optimizer)
