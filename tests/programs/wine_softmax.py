"""Wine cultivars by softmax regression in raw tensors: a hand-written loss, SGD on two tensors."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_wine


def standardise(x):
    return (x - x.mean(dim=0)) / x.std(dim=0)


def negative_log_likelihood(logits, labels):
    return -(logits - logits.logsumexp(1, keepdim=True)).gather(1, labels[:, None]).mean()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--raw", action="store_true", help="features as measured, from 0.1 to 1,680")
options = parser.parse_args()
torch.manual_seed(options.seed)

features, labels = (torch.tensor(part) for part in load_wine(return_X_y=True))
features = features.float() if options.raw else standardise(features.float())
W = (torch.randn(13, 3) * 0.01).requires_grad_()
b = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.SGD([W, b], lr=0.1)

for iteration in range(3001):
    rows = torch.randint(len(labels), (40,))
    logits = features[rows] @ W + b
    loss = negative_log_likelihood(logits, labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if iteration % 500 == 0:
        with torch.no_grad():
            everything = features @ W + b
            error = (everything.argmax(1) != labels).float().mean()
            print(f"{iteration:5d}  loss {negative_log_likelihood(everything, labels):.4f}  error {error:.3f}")
save_state(W=W.detach(), b=b.detach(), optimizer=optimizer)
