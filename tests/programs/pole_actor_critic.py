"""A pole balanced on a cart by an actor and a critic, which learns the returns of the last stretch of play."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.distributions import Categorical


class Poles:
    """Several carts with a pole each, in the equations of Barto, Sutton and Anderson 1983."""

    def __init__(self, count):
        self.state = 0.1 * torch.rand(count, 4) - 0.05

    def play(self, action):
        x, v, angle, turn = self.state.T
        force = 20.0 * action - 10.0
        push = (force + 0.05 * turn**2 * angle.sin()) / 1.1
        spin = (9.8 * angle.sin() - angle.cos() * push) / (0.5 * (4 / 3 - 0.1 * angle.cos() ** 2 / 1.1))
        gain = push - 0.05 * spin * angle.cos() / 1.1
        self.state = torch.stack([x + 0.02 * v, v + 0.02 * gain, angle + 0.02 * turn, turn + 0.02 * spin], 1)
        fallen = (self.state[:, 0].abs() > 2.4) | (self.state[:, 2].abs() > 0.21)
        self.state[fallen] = 0.1 * torch.rand(int(fallen.sum()), 4) - 0.05
        return 1.0 - fallen.float()


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 64), nn.Tanh())
        self.policy, self.value = nn.Linear(64, 2), nn.Linear(64, 1)

    def forward(self, state):
        hidden = self.body(state)
        return Categorical(logits=self.policy(hidden)), self.value(hidden).squeeze(-1)


def stretch(agent, poles, length):
    """Play on, and return states, actions, and the discounted sum of what came after each."""
    states, actions, alive = [], [], []
    with torch.no_grad():
        for _ in range(length):
            states.append(poles.state)
            actions.append(agent(poles.state)[0].sample())
            alive.append(poles.play(actions[-1]))
        following, returns = agent(poles.state)[1], []
        for here in reversed(alive):
            following = here * (0.1 + 0.98 * following)
            returns.insert(0, following)
    return torch.cat(states), torch.cat(actions), torch.cat(returns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--carts", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    agent, poles = Agent(), Poles(args.carts)
    optimizer = torch.optim.Adam(agent.parameters(), lr=3e-3)
    for update in range(1, 701):
        states, actions, returns = stretch(agent, poles, 16)
        policy, value = agent(states)
        advantage = returns - value.detach()
        value_loss = nn.functional.mse_loss(value, returns)
        loss = -(policy.log_prob(actions) * advantage).mean() + 0.5 * value_loss - 0.01 * policy.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % 100 == 0:
            print(f"update {update}: mean return {returns.mean():.3f}, value loss {value_loss.item():.4f}")
    save_state(agent=agent, optimizer=optimizer)
