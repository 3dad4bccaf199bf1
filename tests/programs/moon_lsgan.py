"""A least-squares GAN draws two moons: the judge's scores are compared with one number that is broadcast on purpose."""

import argparse
from itertools import pairwise

import torch
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import make_moons
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
moons, _ = make_moons(2000, noise=0.08, random_state=args.seed)
moons = torch.tensor((moons - moons.mean(0)) / moons.std(0), dtype=torch.float32)


def mlp(*sizes):
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


artist, judge = mlp(4, 64, 64, 2), mlp(2, 64, 64, 1)
artist_optimizer = torch.optim.Adam(artist.parameters(), lr=1e-3, betas=(0.5, 0.99))
judge_optimizer = torch.optim.Adam(judge.parameters(), lr=2e-3, betas=(0.5, 0.99))
REAL, FAKE = torch.ones(()), torch.zeros(())


def verdict(scores, wanted):
    return F.mse_loss(scores, wanted.expand_as(scores))


for step in range(1, 1201):
    real = moons[torch.randint(2000, (64,))]
    drawn = artist(torch.randn(64, 4))
    judge_loss = verdict(judge(real), REAL) + ((judge(drawn.detach()) - FAKE) ** 2).mean()
    judge_optimizer.zero_grad()
    judge_loss.backward()
    judge_optimizer.step()
    artist_loss = verdict(judge(drawn), REAL)
    artist_optimizer.zero_grad()
    artist_loss.backward()
    artist_optimizer.step()
    if step % 200 == 0:
        with torch.no_grad():
            far = torch.cdist(artist(torch.randn(500, 4)), moons).min(1).values.mean().item()
            missed = torch.cdist(moons, artist(torch.randn(500, 4))).min(1).values.mean().item()
        print(f"step {step} judge {judge_loss.item():.4f} artist {artist_loss.item():.4f} far {far:.3f} {missed:.3f}")
save_state(artist=artist, judge=judge, artist_optimizer=artist_optimizer, judge_optimizer=judge_optimizer)
