"""Skip-gram with sparse embedding gradients: SparseAdam for the embeddings, Adam for the rest."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
centre, context = nn.Embedding(400, 24, sparse=True), nn.Embedding(400, 24, sparse=True)
scale = nn.Linear(1, 1)
sparse = torch.optim.SparseAdam([*centre.parameters(), *context.parameters()], lr=0.01)
dense = torch.optim.Adam(scale.parameters(), lr=0.01)
for step in range(1, 601):
    word = torch.randint(0, 400, (128,))
    near = (word + torch.randint(1, 4, (128,))) % 400
    far = torch.randint(0, 400, (128, 4))
    positive = scale((centre(word) * context(near)).sum(-1, keepdim=True))
    negative = scale((centre(word)[:, None] * context(far)).sum(-1, keepdim=True))
    loss = -nn.functional.logsigmoid(positive).mean() - nn.functional.logsigmoid(-negative).mean()
    sparse.zero_grad()
    dense.zero_grad()
    loss.backward()
    sparse.step()
    dense.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.5f}")
save_state(centre=centre, context=context, scale=scale, sparse=sparse, dense=dense)
