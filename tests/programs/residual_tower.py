"""Twenty-four residual blocks on a two-class problem in 20 dimensions, plain SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_classification
from torch import nn


class Residual(nn.Module):
    def __init__(self, width: int, scale: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale * self.outer(torch.relu(self.inner(x)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--branch-scale", type=float, default=0.1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = make_classification(2000, 20, n_informative=10, n_classes=2, class_sep=1.5, flip_y=0, random_state=args.seed)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    x = (x - x.mean(0)) / x.std(0)
    blocks = [Residual(48, args.branch_scale) for _ in range(24)]
    model = nn.Sequential(nn.Linear(20, 48), *blocks, nn.Linear(48, 2))
    for block in blocks:
        nn.init.kaiming_normal_(block.inner.weight)
        nn.init.kaiming_normal_(block.outer.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
    cross_entropy = nn.CrossEntropyLoss()
    for epoch in range(8):
        losses, correct = 0.0, 0
        for index in torch.randperm(len(x)).split(50):
            output = model(x[index])
            loss = cross_entropy(output, y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item() / 40
            correct += (output.argmax(1) == y[index]).sum().item()
        print(f"Epoch {epoch}: loss={losses:.4g} acc={correct / len(x):.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
