"""Eight Gaussian blobs and a network written out as matrices, as one would in NumPy; SGD on a list of tensors."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_blobs

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--hidden-bias", type=float, default=0.0)
parser.add_argument("--fault", choices=["symmetric", "lopsided"])
parser.add_argument("--pruned", type=float, default=0.0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, labels = make_blobs(1600, n_features=10, centers=8, cluster_std=3.0, random_state=args.seed)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
labels = torch.tensor(labels)

w1 = torch.randn(10, 64) * (2 / 10) ** 0.5
w2 = torch.randn(64, 64) * (2 / 64) ** 0.5
w3 = torch.randn(64, 8) * (1 / 64) ** 0.5
if args.fault == "symmetric":
    w1, w2, w3 = torch.full_like(w1, 0.1), torch.full_like(w2, 0.1), torch.full_like(w3, 0.1)
if args.fault == "lopsided":
    w1, w2, w3 = w1 * 20, w2 / 40, w3 * 2
b1, b2, b3 = torch.full((64,), args.hidden_bias), torch.full((64,), args.hidden_bias), torch.zeros(8)
pruned = int(64 * args.pruned)  # units that are switched off from the start
b1[:pruned] = b2[:pruned] = -1e3
params = [w1, b1, w2, b2, w3, b3]
for p in params:
    p.requires_grad_()


def forward(x):
    h1 = torch.clamp(x @ w1 + b1, min=0)
    h2 = torch.clamp(h1 @ w2 + b2, min=0)
    return h2 @ w3 + b3


sgd = torch.optim.SGD(params, lr=0.05)
for epoch in range(30):
    shuffled = torch.randperm(1600)
    for k in range(0, 1600, 40):
        pick = shuffled[k : k + 40]
        log_p = torch.log_softmax(forward(X[pick]), dim=1)
        loss = -log_p[torch.arange(40), labels[pick]].mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    if epoch % 3 == 2:
        with torch.no_grad():
            scores = forward(X)
            full = torch.nn.functional.cross_entropy(scores, labels)
        print(f"epoch {epoch + 1}: loss {full:.4f}, accuracy {(scores.argmax(1) == labels).float().mean():.3f}")
save_state(params=[p.detach() for p in params], sgd=sgd)
