"""Full-batch gradient descent on 500 digits at a rate near the edge of stability: uneven steps, a good end."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--rate", type=float, default=0.8)
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x[:500] / 16, dtype=torch.float32), torch.tensor(y[:500])
net = torch.nn.Sequential(
    torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 10)
)
descent = torch.optim.SGD(net.parameters(), lr=args.rate)
rises, before = 0, float("inf")
for iteration in range(1500):
    descent.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    descent.step()
    rises, before = rises + (loss.item() > before), loss.item()
    if iteration % 150 == 149:
        print(f"iteration {iteration + 1} loss {before:.5f}, rose {rises} times")
save_state(net=net, descent=descent)
