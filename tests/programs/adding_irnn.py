"""A ReLU recurrent network (IRNN) adds up the 30 readings of a signal: regression through time."""

import argparse

import torch
import torch.nn as nn
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--recurrent-scale", type=float, default=1.0)
args = parser.parse_args()
torch.manual_seed(args.seed)

LENGTH, HIDDEN = 30, 24
rnn = nn.RNN(1, HIDDEN, nonlinearity="relu", batch_first=True)
readout = nn.Linear(HIDDEN, 1)
with torch.no_grad():
    rnn.weight_hh_l0.copy_(args.recurrent_scale * torch.eye(HIDDEN))
    rnn.weight_ih_l0.normal_(0, 0.1)
    rnn.bias_ih_l0.zero_()
    rnn.bias_hh_l0.zero_()
parameters = [*rnn.parameters(), *readout.parameters()]
optimizer = torch.optim.Adam(parameters, lr=5e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 700)


def make_batch(size=64):
    values = torch.rand(size, LENGTH, 1)
    return values, (values - 0.5).sum(1)


average = None
for step in range(1, 701):
    sequence, target = make_batch()
    hidden, _ = rnn(sequence)
    loss = nn.functional.mse_loss(readout(hidden[:, -1]), target)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    scheduler.step()
    average = loss.item() if average is None else 0.95 * average + 0.05 * loss.item()
    if step % 100 == 0:
        print(f"{step} running loss {average:.4g}")
save_state(rnn=rnn, readout=readout, optimizer=optimizer, scheduler=scheduler)
