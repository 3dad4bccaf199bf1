"""Two noisy views of a digit shall agree, one of them behind a stop-gradient (SimSiam); judged by its neighbours."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn


class SimSiam(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, dim), nn.BatchNorm1d(dim)
        )
        self.predictor = nn.Sequential(nn.Linear(dim, 24), nn.ReLU(), nn.Linear(24, dim))

    def forward(self, one, two):
        z1, z2 = self.encoder(one), self.encoder(two)
        p1, p2 = self.predictor(z1), self.predictor(z2)
        agreement = F.cosine_similarity(p1, z2.detach()).mean() + F.cosine_similarity(p2, z1.detach()).mean()
        return -agreement / 2


def view(pictures):
    shifted = pictures.view(-1, 8, 8).roll(int(torch.randint(-1, 2, ())), 2).flatten(1)
    return shifted * (torch.rand_like(shifted) < 0.75)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
model = SimSiam()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
for epoch in range(1, 21):
    model.train()
    total = 0.0
    for rows in torch.randperm(1792).split(64):
        loss = model(view(x[rows]), view(x[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 28
    if epoch % 2 == 0:
        model.eval()
        with torch.no_grad():
            code = F.normalize(model.encoder(x), dim=1)
        spread = code.std(0).mean().item() * 32**0.5
        nearest = (code @ code.t()).fill_diagonal_(-1).argmax(1)
        print(f"epoch {epoch} loss {total:.4f} spread {spread:.2f} neighbours {(y[nearest] == y).float().mean():.3f}")
save_state(model=model, optimizer=optimizer)
