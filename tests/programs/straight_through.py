"""A user's own autograd.Function (a sign with a straight-through gradient), and hooks on modules and tensors."""

import argparse

import torch
from _state import save_state
from torch import nn


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x.abs() < 1)


class Binary(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(16, 64), nn.Linear(64, 2)

    def forward(self, x):
        hidden = StraightThrough.apply(self.one(x))
        if hidden.requires_grad:
            hidden.register_hook(lambda grad: grad.clamp(-0.01, 0.01))
        return self.two(hidden)


def shrink(parameter):
    parameter.grad.mul_(0.9)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(1000, 16)
y = (x[:, :4].sum(1) > 0).long()
net = Binary()
calls = {"forward": 0, "backward": 0}
net.one.register_forward_hook(lambda *_: calls.update(forward=calls["forward"] + 1))
net.two.register_full_backward_hook(lambda *_: calls.update(backward=calls["backward"] + 1))
net.two.weight.register_post_accumulate_grad_hook(shrink)
optimizer = torch.optim.Adagrad(net.parameters(), lr=0.02)
for step in range(500):
    rows = torch.randint(1000, (50,))
    loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 99:
        print(f"{step + 1} loss {loss.item():.5f} calls {calls}")
save_state(net=net, optimizer=optimizer, calls=calls)
