"""Convolutions with batch norm and dropout on drawn shapes (discs, squares, crosses, rings); SGD with momentum."""

import argparse

import torch
from _state import save_state
from torch import nn


def draw(count, generator):
    """Return ``count`` noisy pictures of 16 x 16 with the label of the shape on each."""
    grid = torch.arange(16.0)
    centre = torch.rand(count, 2, generator=generator) * 6 + 5
    size = torch.rand(count, 1, 1, generator=generator) * 2 + 2.5
    dy, dx = (grid - centre[:, :1]).abs()[:, :, None], (grid - centre[:, 1:]).abs()[:, None, :]
    radius, edge = (dy**2 + dx**2).sqrt(), torch.maximum(dy, dx)
    cross, ring = (torch.minimum(dy, dx) < 1) & (edge < size), (radius - size).abs() < 0.8
    shapes = [radius < size, edge < size * 0.9, cross, ring]
    labels = torch.randint(4, (count,), generator=generator)
    pictures = torch.stack([shape.float() for shape in shapes], 1)[torch.arange(count), labels]
    return (pictures + 0.15 * torch.randn(count, 16, 16, generator=generator)).unsqueeze(1), labels


def block(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)
    )


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--weight-decay", type=float, default=5e-4)
args = parser.parse_args()
torch.manual_seed(args.seed)
generator = torch.Generator().manual_seed(args.seed + 1)
train_x, train_y = draw(1024, generator)
test_x, test_y = draw(512, generator)

model = nn.Sequential(block(1, 12), block(12, 24), nn.Flatten(), nn.Dropout(0.3), nn.Linear(24 * 16, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=args.weight_decay)
loss_function = nn.CrossEntropyLoss()
for epoch in range(12):
    model.train()
    permutation = torch.randperm(len(train_x))
    epoch_loss = []
    for start in range(0, len(train_x), 64):
        index = permutation[start : start + 64]
        loss = loss_function(model(train_x[index]), train_y[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss.append(loss.item())
    model.eval()
    with torch.no_grad():
        accuracy = (model(test_x).argmax(-1) == test_y).float().mean()
    print(f"{epoch}\ttrain_loss={sum(epoch_loss) / len(epoch_loss):.4f}\ttest_acc={accuracy:.3f}")
save_state(model=model, optimizer=optimizer, generator=generator.get_state())
