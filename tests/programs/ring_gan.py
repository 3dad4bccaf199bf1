"""A GAN learns a ring of Gaussians in the plane: two networks, two Adam optimizers."""

import argparse
import math

import torch
from _state import save_state
from torch import nn


def real_points(count):
    angle = torch.randint(0, 8, (count,)) * (math.pi / 4)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(count, 2)


def network(inputs, outputs, width=48):
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
generator, critic = network(8, 2), network(2, 1)
optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizer_d = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(128, 1), torch.zeros(128, 1)
for step in range(1, 1001):
    real, fake = real_points(128), generator(torch.randn(128, 8))
    optimizer_d.zero_grad()
    loss_real = bce(critic(real), ones * 0.9)
    loss_real.backward()
    loss_fake = bce(critic(fake.detach()), zeros)
    loss_fake.backward()
    optimizer_d.step()

    optimizer_g.zero_grad()
    loss_g = bce(critic(fake), ones)
    loss_g.backward()
    optimizer_g.step()
    if step % 100 == 0:
        with torch.no_grad():
            radius = generator(torch.randn(1000, 8)).norm(dim=1)
        loss_d = (loss_real + loss_fake).item()
        print(f"{step} Loss_D {loss_d:.3f} Loss_G {loss_g.item():.3f} radius {radius.mean():.3f}")
save_state(generator=generator, critic=critic, optimizer_g=optimizer_g, optimizer_d=optimizer_d)
