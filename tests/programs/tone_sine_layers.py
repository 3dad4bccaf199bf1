"""A network of sine layers (SIREN) learns a short piece of sound from its sampling times: regression, Adam."""

import argparse
import math

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the cosine in the derivative misses its frequency")
args = parser.parse_args()
torch.manual_seed(args.seed)


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, frequency):
        ctx.save_for_backward(x)
        ctx.frequency = frequency
        return torch.sin(frequency * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        inner = x if args.fault else ctx.frequency * x
        return grad * ctx.frequency * torch.cos(inner), None


class SineLayer(nn.Module):
    def __init__(self, inputs, outputs, frequency=30.0, first=False):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.frequency = frequency
        bound = 1 / inputs if first else math.sqrt(6 / inputs) / frequency
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return Sine.apply(self.linear(x), self.frequency)


time = torch.linspace(-1, 1, 512).unsqueeze(1)
chord = sum(torch.sin(math.pi * pitch * time + phase) for pitch, phase in ((5, 0.3), (8, 1.1), (13, 2.0)))
sound = chord * torch.exp(-(time**2)) + 0.02 * torch.randn_like(time)
sound = (sound - sound.mean()) / sound.std()

siren = nn.Sequential(SineLayer(1, 48, first=True), SineLayer(48, 48), SineLayer(48, 48), nn.Linear(48, 1))
optimizer = torch.optim.Adam(siren.parameters(), lr=3e-4)
for step in range(1, 901):
    rows = torch.randint(512, (128,))
    loss = (siren(time[rows]) - sound[rows]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        with torch.no_grad():
            error = (siren(time) - sound).square().mean().item()
        print(f"step {step} batch loss {loss.item():.5f} error on the whole piece {error:.5f}")
save_state(siren=siren, optimizer=optimizer)
