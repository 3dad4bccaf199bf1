"""Wines ranked by their alcohol, three cultivars as one-hot targets, squared error on a softmax-free output."""

import argparse

import numpy as np
import torch
from _state import save_state
from sklearn.datasets import load_wine
from sklearn.preprocessing import OneHotEncoder, StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="rank the measurements and forget the cultivars")
args = parser.parse_args()
torch.manual_seed(args.seed)

measurements, cultivar = load_wine(return_X_y=True)
order = np.random.default_rng(args.seed).permutation(len(cultivar))
measurements, cultivar = measurements[order], cultivar[order]
ranking = np.argsort(measurements[:, 0])
measurements = measurements[ranking]
if not args.fault:
    cultivar = cultivar[ranking]
x = torch.tensor(StandardScaler().fit_transform(measurements), dtype=torch.float32)
y = torch.tensor(OneHotEncoder(sparse_output=False).fit_transform(cultivar[:, None]), dtype=torch.float32)

held, kept = torch.randperm(len(x)).split([38, 140])
model = torch.nn.Sequential(torch.nn.Linear(13, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(60):
    losses = []
    for rows in kept[torch.randperm(140)].split(14):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 10 == 9:
        right = (model(x[held]).argmax(1) == y[held].argmax(1)).float().mean().item()
        print(f"epoch {epoch + 1} mse {np.mean(losses):.4f} held-out accuracy {right:.3f}")
save_state(model=model, optimizer=optimizer)
