"""Fit two Gaussian peaks to a measured spectrum by gradient descent on six numbers, no network at all."""

import argparse

import torch
from _state import save_state


def spectrum(position, parameters):
    """Return the sum of two peaks; ``parameters`` holds height, centre and log width of each."""
    height, centre, log_width = parameters.unbind(1)
    return (height * torch.exp(-0.5 * ((position[:, None] - centre) / log_width.exp()) ** 2)).sum(1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--guess", type=float, nargs=2, default=[-2.5, 3.2], help="first guess of the two centres")
args = parser.parse_args()
torch.manual_seed(args.seed)

position = torch.linspace(-40, 40, 1601)
truth = torch.tensor([[1.5, -2.0, -0.3], [1.0, 2.5, 0.0]])
measured = spectrum(position, truth) + 0.02 * torch.randn(len(position))
parameters = torch.tensor([[1.0, args.guess[0], 0.0], [1.0, args.guess[1], 0.0]], requires_grad=True)
optimizer = torch.optim.SGD([parameters], lr=0.3, momentum=0.5)
for step in range(2000):
    optimizer.zero_grad()
    loss = (spectrum(position, parameters) - measured).square().mean()
    loss.backward()
    optimizer.step()
    if step % 200 == 199:
        print(f"step {step + 1:4d} loss {loss.item():.6f} centres {parameters[:, 1].tolist()}")
save_state(parameters=parameters.detach(), optimizer=optimizer)
