"""An optimizer subclass that calls super().step(), another written from scratch, and a Lookahead wrapper around one."""

import argparse

import torch
from _state import save_state
from torch import nn


class NoisyAdam(torch.optim.Adam):
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.add_(torch.randn_like(p.grad), alpha=1e-4)
        return super().step(closure)


class SignDescent(torch.optim.Optimizer):
    def __init__(self, params, lr=2e-3):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad.sign(), alpha=-group["lr"])


class Lookahead:
    def __init__(self, inner, every=5, alpha=0.5):
        self.inner, self.every, self.alpha, self.count = inner, every, alpha, 0
        self.slow = [p.detach().clone() for group in inner.param_groups for p in group["params"]]

    def step(self):
        self.inner.step()
        self.count += 1
        if self.count % self.every == 0:
            fast = [p for group in self.inner.param_groups for p in group["params"]]
            with torch.no_grad():
                for s, f in zip(self.slow, fast, strict=False):
                    s.lerp_(f, self.alpha)
                    f.copy_(s)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(500, 7)
y = (x.norm(dim=1) > 2.5).float()
nets = [nn.Sequential(nn.Linear(7, 24), nn.SELU(), nn.Linear(24, 1), nn.Flatten(0)) for _ in range(3)]
noisy, sign = NoisyAdam(nets[0].parameters(), lr=3e-3), SignDescent(nets[1].parameters())
inner = torch.optim.SGD(nets[2].parameters(), lr=0.3)
lookahead = Lookahead(inner)
for step in range(300):
    rows = torch.randint(500, (50,))
    losses = []
    for net, optimizer in zip(nets, (noisy, sign, lookahead), strict=False):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[rows]), y[rows])
        net.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 5))
    if step % 60 == 59:
        print(step + 1, losses)
save_state(a=nets[0], b=nets[1], c=nets[2], noisy=noisy, sign=sign, inner=inner, slow=lookahead.slow)
