"""Yearly salaries by profession and experience: an embedding beside numbers, Huber loss, SGD with clipped gradients."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn


class SalaryModel(nn.Module):
    def __init__(self, professions):
        super().__init__()
        self.profession = nn.Embedding(professions, 8)
        self.mix = nn.Linear(8 + 2, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, profession, numbers):
        joined = torch.cat([self.profession(profession), numbers], dim=1)
        return self.out(F.elu(self.mix(joined))).flatten()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="salaries as they are")
args = parser.parse_args()
torch.manual_seed(args.seed)
profession = torch.randint(12, (1600,))
numbers = torch.randn(1600, 2)
level = 8_000 * torch.randn(12)
salary = 45_000 + level[profession] + 6_000 * numbers[:, 0] + 3_000 * numbers.prod(1) + 1_500 * torch.randn(1600)
spread = salary.std()
target = salary if args.fault else (salary - salary.mean()) / spread
model = SalaryModel(12)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
for epoch in range(20):
    for rows in torch.randperm(1600).split(40):
        loss = F.huber_loss(model(profession[rows], numbers[rows]), target[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        residual = model(profession, numbers) - target
    r2 = 1 - (residual.square().mean() / target.var()).item()
    print(f"epoch {epoch + 1} loss {loss.item():.4f} R2 {r2:.3f}")
save_state(model=model, optimizer=optimizer)
