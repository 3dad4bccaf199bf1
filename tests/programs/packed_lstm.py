"""A bidirectional LSTM over packed sequences of unequal length, two layers with dropout between them."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
lstm = nn.LSTM(2, 16, num_layers=2, dropout=0.2, bidirectional=True, batch_first=True)
head = nn.Linear(32, 1)
optimizer = torch.optim.RMSprop([*lstm.parameters(), *head.parameters()], lr=2e-3, momentum=0.5, centered=True)
for step in range(1, 121):
    walks = [torch.randn(int(n), 2).cumsum(0) / 4 for n in torch.randint(5, 25, (32,))]
    target = torch.stack([walk[-1, :1] - walk[0, 1:] for walk in walks])
    lengths = torch.tensor([len(walk) for walk in walks])
    padded = pad_sequence(walks, batch_first=True)
    packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
    _, (state, _) = lstm(packed)
    loss = nn.functional.l1_loss(head(torch.cat([state[-2], state[-1]], 1)), target)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_([*lstm.parameters(), *head.parameters()], 0.5)
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step} loss {loss.item():.5f}")
save_state(lstm=lstm, head=head, optimizer=optimizer)
