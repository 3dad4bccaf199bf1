"""torch.compile with a backend of choice; the step as a compiled model with a loss outside."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--backend", choices=["eager", "aot_eager", "inductor"], default="eager")
parser.add_argument("--steps", type=int, default=150)
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(512, 10)
y = (x[:, 0] * x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 2))
compiled = torch.compile(net, backend=args.backend)
optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
for step in range(args.steps):
    rows = torch.randint(512, (64,))
    loss = nn.functional.cross_entropy(compiled(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 30 == 0:
        print(f"step {step} loss {loss.item():.5f}")
print("graphs", torch._dynamo.utils.counters["stats"]["unique_graphs"])
save_state(net=net, optimizer=optimizer)
