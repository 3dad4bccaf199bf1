"""A default device, a device block around the step, noise on the data at every step, anomaly detection at first."""

import argparse
import random

import numpy as np
import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
torch.set_default_device("cpu")
x = torch.from_numpy(np.random.uniform(-1, 1, (700, 4))).float()
y = torch.stack([x[:, 0] > x[:, 1], x[:, 2] * x[:, 3] > 0, x.sum(1) > 0], 1).float()
with torch.device("cpu"):
    net = nn.Sequential(nn.Linear(4, 40), nn.Mish(), nn.Dropout(0.1), nn.Linear(40, 3))
optimizer = torch.optim.RAdam(net.parameters(), lr=5e-3)
for step in range(400):
    rows = np.random.choice(700, 50, replace=False)
    flip = random.choice((-1.0, 1.0))
    with torch.device("cpu"), torch.autograd.set_detect_anomaly(step < 20):
        inputs = x[rows] + 0.02 * torch.randn(50, 4)
        optimizer.zero_grad()
        loss = nn.functional.multilabel_soft_margin_loss(net(inputs), y[rows]) + 1e-4 * flip * net[0].weight.sum()
        loss.backward()
        optimizer.step()
    if step % 80 == 79:
        print(f"step {step + 1} loss {loss.item():.5f} draws {random.random():.4f} {np.random.rand():.4f}")
save_state(net=net, optimizer=optimizer)
