"""L-BFGS with a closure that is called several times per step, on the Rosenbrock-like fit of a decay curve."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--line-search", action="store_true")
args = parser.parse_args()
torch.manual_seed(args.seed)
t = torch.linspace(0, 5, 200).unsqueeze(1)
y = torch.exp(-0.7 * t) * torch.cos(3 * t) + 0.01 * torch.randn(200, 1)
net = torch.nn.Sequential(
    torch.nn.Linear(1, 20), torch.nn.Tanh(), torch.nn.Linear(20, 20), torch.nn.Tanh(), torch.nn.Linear(20, 1)
)
search = "strong_wolfe" if args.line_search else None
optimizer = torch.optim.LBFGS(net.parameters(), lr=1.0 if args.line_search else 0.1, max_iter=10, line_search_fn=search)
calls = 0


def closure():
    global calls
    calls += 1
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(t), y)
    loss.backward()
    return loss


for epoch in range(60):
    loss = optimizer.step(closure)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.6f} calls {calls}")
save_state(net=net, optimizer=optimizer)
