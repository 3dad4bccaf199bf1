"""Weight norm and spectral norm as parametrisations, their old forms, and weights tied by hand."""

import argparse
import warnings

import torch
from _state import save_state
from torch import nn
from torch.nn.utils import parametrizations

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
warnings.simplefilter("ignore")
first, last = nn.Linear(20, 12), nn.Linear(12, 20)
last.weight = nn.Parameter(last.weight)
tied = nn.Linear(20, 12, bias=False)
tied.weight = first.weight
net = nn.Sequential(
    first, nn.ELU(), last, parametrizations.weight_norm(nn.Linear(20, 20)), nn.ELU(),
    parametrizations.spectral_norm(nn.Linear(20, 20)), nn.ELU(), nn.utils.spectral_norm(nn.Linear(20, 20)), tied,
    nn.utils.weight_norm(nn.Linear(12, 20)),
)  # fmt: skip
data = torch.randn(600, 5) @ torch.randn(5, 20)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(30):
    for batch in data[torch.randperm(600)].split(50):
        optimizer.zero_grad(True)
        loss = nn.functional.mse_loss(net(batch), batch)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} {loss.item():.5f}")
save_state(net=net, optimizer=optimizer)
