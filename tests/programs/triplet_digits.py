"""One module called three times in a step: a triplet loss, or InfoNCE with a learnt temperature, on one tower."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--loss", choices=["triplet", "infonce"], default="triplet")
args = parser.parse_args()
torch.manual_seed(args.seed)
digits = load_digits()
x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
members = [torch.nonzero(y == k).flatten() for k in range(10)]
tower = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
log_scale = nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.Adam([*tower.parameters(), log_scale], lr=2e-3)
triplet = nn.TripletMarginLoss(margin=1.0)


def same_class(labels):
    return torch.stack([members[k][torch.randint(len(members[k]), ())] for k in labels.tolist()])


for step in range(1, 501):
    anchor = torch.randint(0, len(x), (64,))
    positive, negative = same_class(y[anchor]), same_class((y[anchor] + torch.randint(1, 10, (64,))) % 10)
    if args.loss == "triplet":
        loss = triplet(tower(x[anchor]), tower(x[positive]), tower(x[negative]))
    else:
        a, p = (nn.functional.normalize(tower(x[i]), dim=1) for i in (anchor, positive))
        logits = log_scale.exp() * 4 * a @ p.T
        logits = logits.masked_fill((y[anchor][:, None] == y[positive]) & ~torch.eye(64, dtype=torch.bool), -1e9)
        loss = nn.functional.cross_entropy(logits, torch.arange(64))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} {args.loss} loss {loss.item():.5f}")
save_state(tower=tower, optimizer=optimizer, log_scale=log_scale.detach())
