"""Q-learning on a windy corridor: a target network that is never trained, only copied; replay buffer, Huber loss."""

import argparse
import copy
import random
from collections import deque

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)
LENGTH = 8


def step(place, action):
    """Move left (0) or right (1), sometimes blown back; reward 1 at the right end."""
    move = (1 if action else -1) if random.random() < 0.9 else -1
    place = min(max(place + move, 0), LENGTH - 1)
    return place, float(place == LENGTH - 1), place == LENGTH - 1


online = nn.Sequential(nn.Linear(LENGTH, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(online)
optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)
buffer, place, losses, returns = deque(maxlen=5000), 0, [], []
eye = torch.eye(LENGTH)
for t in range(1, 3001):
    epsilon = max(0.1, 1 - t / 1000)
    action = random.randrange(2) if random.random() < epsilon else int(online(eye[place]).argmax())
    following, reward, done = step(place, action)
    buffer.append((place, action, reward, following, float(done)))
    place = 0 if done else following
    returns.append(reward)
    if t < 200 or t % 2:
        continue
    s, a, r, n, d = map(torch.tensor, zip(*random.sample(buffer, 64), strict=False))
    with torch.no_grad():
        goal = r + 0.9 * (1 - d) * target(eye[n]).max(1).values
    loss = nn.functional.smooth_l1_loss(online(eye[s]).gather(1, a[:, None]).squeeze(1), goal)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if t % 100 == 0:
        target.load_state_dict(online.state_dict())
    if t % 500 == 0:
        print(f"t {t} loss {sum(losses[-100:]) / 100:.5f} reward per step {sum(returns[-500:]) / 500:.3f}")
save_state(online=online, target=target, optimizer=optimizer)
