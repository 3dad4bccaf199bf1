"""A character-level vanilla RNN with carried hidden state, truncated back-propagation and SGD, in the old style."""

import argparse

import torch
import torch.nn as nn
from _state import save_state


class CharRNN(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.hidden = hidden
        self.i2h = nn.Linear(size, hidden)
        self.h2h = nn.Linear(hidden, hidden)
        self.h2o = nn.Linear(hidden, size)

    def step(self, x, h):
        h = torch.tanh(self.i2h(x) + self.h2h(h))
        return self.h2o(h), h


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--recurrent-gain", type=float, default=1.0)
parser.add_argument("--lr", type=float, default=0.3)
args = parser.parse_args()
torch.manual_seed(args.seed)
text = "the cat sat on the mat. the dog ate the fat rat. a hen ran to the den. " * 40
letters = sorted(set(text))
codes = torch.tensor([letters.index(c) for c in text])
streams = codes[: len(codes) // 16 * 16].view(16, -1)

model = CharRNN(len(letters), 64)
nn.init.orthogonal_(model.h2h.weight, gain=args.recurrent_gain)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
criterion = nn.CrossEntropyLoss()
for epoch in range(25):
    h, total, count = torch.zeros(16, model.hidden), 0.0, 0
    for start in range(0, streams.shape[1] - 26, 25):
        h, loss = h.detach(), 0.0
        for t in range(start, start + 25):
            logits, h = model.step(nn.functional.one_hot(streams[:, t], len(letters)).float(), h)
            loss = loss + criterion(logits, streams[:, t + 1]) / 25
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total, count = total + loss.item(), count + 1
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total / count:.4f}")
save_state(model=model, optimizer=optimizer)
