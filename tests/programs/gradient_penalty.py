"""A Wasserstein critic with a gradient penalty: torch.autograd.grad with create_graph, then a second backward."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
G = nn.Sequential(nn.Linear(4, 32), nn.Softplus(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.Softplus(), nn.Linear(32, 1))
opt_g = torch.optim.RMSprop(G.parameters(), lr=1e-3)
opt_d = torch.optim.RMSprop(D.parameters(), lr=1e-3)


def gradient_penalty(real, fake):
    mix = torch.rand(len(real), 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return ((slope.norm(dim=1) - 1) ** 2).mean()


for step in range(200):
    for _ in range(3):
        real = torch.randn(64, 2) * 0.3 + torch.tensor([1.0, -1.0])
        fake = G(torch.randn(64, 4)).detach()
        loss_d = D(fake).mean() - D(real).mean() + 10 * gradient_penalty(real, fake)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
    loss_g = -D(G(torch.randn(64, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 40 == 39:
        print(f"{step + 1} critic {loss_d.item():.5f} generator {loss_g.item():.5f}")
save_state(G=G, D=D, opt_g=opt_g, opt_d=opt_d)
