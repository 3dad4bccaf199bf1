"""Complex weights find the phases of tones; then a fit in double precision; deterministic algorithms are on."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.use_deterministic_algorithms(True)
tones = torch.exp(2j * torch.pi * torch.rand(8, 1) * torch.arange(64))
hidden = torch.randn(8, dtype=torch.cfloat)
measured = hidden @ tones + 0.01 * torch.randn(64, dtype=torch.cfloat)
weights = torch.zeros(8, dtype=torch.cfloat, requires_grad=True)
slow = torch.optim.SGD([weights], lr=0.1, momentum=0.5)
for step in range(400):
    loss = (weights @ tones - measured).abs().square().mean()
    slow.zero_grad()
    loss.backward()
    slow.step()
    if step % 100 == 99:
        print(f"complex {step + 1} {loss.item():.7f}")

net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Softsign(), torch.nn.Linear(16, 1)).double()
x = torch.randn(256, 3, dtype=torch.float64)
y = (x**2).sum(1, keepdim=True).sqrt()
adam = torch.optim.Adamax(net.parameters(), lr=0.01)
for step in range(400):
    loss = torch.nn.functional.mse_loss(net(x), y)
    adam.zero_grad()
    loss.backward()
    adam.step()
    if step % 100 == 99:
        print(f"double {step + 1} {loss.item():.12f}")
save_state(weights=weights.detach(), slow=slow, net=net, adam=adam)
