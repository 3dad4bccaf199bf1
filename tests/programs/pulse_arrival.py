"""When did eight pulses arrive, and how high were they? Fitted to a noisy recording by Adam on two loose tensors."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--clock", choices=["recording", "unix"], default="recording", help="where the times start")
args = parser.parse_args()
torch.manual_seed(args.seed)

START = 1_700_000_000.0 if args.clock == "unix" else 0.0
WIDTH = 60.0
seconds = START + torch.arange(0, 4000, 10, dtype=torch.float64)
guess = START + 250 + 490 * torch.arange(8, dtype=torch.float64)
true_arrival = guess + 50 * torch.randn(8)
true_height = 1 + torch.rand(8)


def pulses(arrival, height):
    distance = (seconds.unsqueeze(1) - arrival) / WIDTH
    return (height * torch.exp(-0.5 * distance**2)).sum(1)


recording = (pulses(true_arrival, true_height) + 0.05 * torch.randn(len(seconds))).float()
arrival = guess.float().requires_grad_()
height = torch.ones(8, requires_grad=True)
optimizer = torch.optim.Adam([{"params": [arrival], "lr": 1.0}, {"params": [height], "lr": 0.01}])
for step in range(1, 601):
    optimizer.zero_grad()
    misfit = (pulses(arrival, height) - recording).square().mean()
    misfit.backward()
    optimizer.step()
    if step % 100 == 0:
        late = (arrival.detach() - true_arrival).abs().mean().item()
        print(f"step {step} misfit {misfit.item():.5f} times wrong by {late:.2f} s")
save_state(arrival=arrival, height=height, optimizer=optimizer)
