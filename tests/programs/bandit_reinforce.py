"""REINFORCE on a contextual bandit: sampled actions, no labels, a baseline network with an optimizer of its own."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.distributions import Categorical

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
policy = nn.Sequential(nn.Linear(5, 32), nn.Tanh(), nn.Linear(32, 4))
baseline = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
policy_optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
baseline_optimizer = torch.optim.Adam(baseline.parameters(), lr=5e-3)
payoff = torch.randn(4, 5)
average = 0.0
for episode in range(1, 801):
    context = torch.randn(64, 5)
    choice = Categorical(logits=policy(context))
    action = choice.sample()
    best = (context @ payoff.T).argmax(1)
    reward = (action == best).float() + 0.1 * torch.randn(64)
    expected = baseline(context).squeeze(1)
    policy_loss = -(choice.log_prob(action) * (reward - expected.detach())).mean() - 0.01 * choice.entropy().mean()
    baseline_loss = (expected - reward).square().mean()
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()
    baseline_optimizer.zero_grad()
    baseline_loss.backward()
    baseline_optimizer.step()
    average = 0.98 * average + 0.02 * reward.mean().item()
    if episode % 100 == 0:
        print(f"episode {episode} reward {average:.4f} baseline loss {baseline_loss.item():.4f}")
save_state(policy=policy, baseline=baseline, policy_optimizer=policy_optimizer, baseline_optimizer=baseline_optimizer)
