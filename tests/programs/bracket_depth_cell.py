"""Counts open brackets: a recurrent cell with its own forward and backward pass, unrolled over a sequence."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the derivative of tanh lacks its square")
args = parser.parse_args()
torch.manual_seed(args.seed)


class CellStep(torch.autograd.Function):
    """tanh(state @ recurrent.T + drive), with one stored tensor less than autograd would keep."""

    @staticmethod
    def forward(ctx, state, drive, recurrent):
        new = torch.tanh(state @ recurrent.T + drive)
        ctx.save_for_backward(state, recurrent, new)
        return new

    @staticmethod
    def backward(ctx, grad):
        state, recurrent, new = ctx.saved_tensors
        slope = 1 - new if args.fault else 1 - new**2
        inner = grad * slope
        return inner @ recurrent, inner, inner.T @ state


class Counter(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.drive = nn.Embedding(3, hidden)
        self.recurrent = nn.Parameter(torch.empty(hidden, hidden))
        self.depth = nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.recurrent)
        nn.init.normal_(self.drive.weight, std=0.3)

    def forward(self, text):
        state = torch.zeros(len(text), self.recurrent.shape[0])
        for symbols in self.drive(text).unbind(1):
            state = CellStep.apply(state, symbols, self.recurrent)
        return self.depth(state).squeeze(1)


def brackets(count, length=24):
    text = torch.randint(3, (count, length))  # 0 a letter, 1 opens, 2 closes
    step = torch.tensor([0.0, 1.0, -1.0])[text]
    return text, step.sum(1) / (length * 2 / 3) ** 0.5


counter = Counter()
optimizer = torch.optim.Adam(counter.parameters(), lr=2e-3)
test_text, test_depth = brackets(400)
for step in range(1, 601):
    text, depth = brackets(64)
    loss = nn.functional.mse_loss(counter(text), depth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        with torch.no_grad():
            error = nn.functional.mse_loss(counter(test_text), test_depth).item()
        print(f"step {step} loss {loss.item():.4f} test error {error:.4f}")
save_state(counter=counter, optimizer=optimizer)
