"""No optimizer at all: parameters are moved under no_grad, as in the first tutorial; backward or autograd.grad."""

import argparse
import math

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--grad", action="store_true", help="torch.autograd.grad instead of backward")
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.linspace(-math.pi, math.pi, 2000)
y = torch.sin(x)
coefficients = [torch.randn((), requires_grad=True) for _ in range(4)]
for t in range(2000):
    powers = (1, x, x**2, x**3)
    prediction = sum(c * p for c, p in zip(coefficients, powers, strict=False))
    loss = (prediction - y).pow(2).sum()
    if args.grad:
        gradients = torch.autograd.grad(loss, coefficients)
    else:
        loss.backward()
        gradients = [c.grad for c in coefficients]
    if t % 400 == 399:
        print(t, loss.item())
    with torch.no_grad():
        for c, g in zip(coefficients, gradients, strict=False):
            c -= 1e-6 * g
            c.grad = None
save_state(coefficients=[c.detach() for c in coefficients])
