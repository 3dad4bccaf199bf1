"""Which queue a ticket goes to, by the words in it: a transformer encoder with its norms after the blocks; Adam."""

import argparse

import torch
from _state import save_state
from torch import nn

WORDS, LENGTH, QUEUES = 200, 24, 6


def tickets(count):
    """A ticket of a queue holds some of the ten words that go with it, anywhere among the others."""
    queue = torch.randint(0, QUEUES, (count,))
    text = torch.randint(10 * QUEUES, WORDS, (count, LENGTH))
    for _ in range(3):
        place = torch.randint(0, LENGTH, (count,))
        text[torch.arange(count), place] = 10 * queue + torch.randint(0, 10, (count,))
    return text, queue


class Router(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.places = nn.Embedding(LENGTH, width)
        block = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=128, batch_first=True)
        self.blocks = nn.TransformerEncoder(block, num_layers=3)
        self.queue = nn.Linear(width, QUEUES)

    def forward(self, text):
        hidden = self.words(text) + self.places(torch.arange(text.shape[1]))
        return self.queue(self.blocks(hidden).mean(1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    text, queue = tickets(2048)
    router = Router()
    optimizer = torch.optim.Adam(router.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(1, 7):
        router.train()
        total = 0.0
        for rows in torch.randperm(len(text)).split(32):
            optimizer.zero_grad()
            loss = criterion(router(text[rows]), queue[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch}: loss {total / len(text):.4f}")
    save_state(router=router, optimizer=optimizer)
