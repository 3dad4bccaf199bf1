"""Policy gradient for an agent that shall turn towards a sound; returns are standardised in every batch."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--eps", type=float, default=1e-6, help="added to the deviation of the returns")
args = parser.parse_args()
torch.manual_seed(args.seed)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))

    def act(self, heard):
        log_p = self.net(heard).log_softmax(1)
        noise = -torch.log(-torch.log(torch.rand_like(log_p)))  # the largest of log_p + noise is a sample
        action = (log_p.detach() + noise).argmax(1)
        return action, log_p.gather(1, action[:, None]).squeeze(1)


def world(count):
    direction = torch.randint(4, (count,))
    ears = nn.functional.one_hot(direction, 4).repeat(1, 2) + 0.1 * torch.randn(count, 8)
    return ears, direction


agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=1e-2)
rewards = []
for iteration in range(1, 601):
    heard, direction = world(40)
    action, log_probability = agent.act(heard)
    reward = (action == direction).float()
    advantage = (reward - reward.mean()) / (reward.std() + args.eps)
    loss = -(advantage * log_probability).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    rewards.append(reward.mean().item())
    if iteration % 60 == 0:
        print(f"iteration {iteration} loss {loss.item():.4f} mean reward {sum(rewards[-60:]) / 60:.3f}")
save_state(agent=agent, optimizer=optimizer)
