"""Mixed precision on the CPU: bfloat16 autocast, and a GradScaler that is on or off."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--scaler", choices=["on", "off", "none"], default="none")
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scaler = None if args.scaler == "none" else torch.amp.GradScaler("cpu", enabled=args.scaler == "on", init_scale=2.0**10)
for epoch in range(12):
    total = 0.0
    for rows in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            scaler.step(optimizer)
            scaler.update()
        total += loss.item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} loss {total / 29:.4f}")
state = {} if scaler is None else {"scaler": scaler}
save_state(model=model, optimizer=optimizer, **state)
