"""A convolutional feature extractor squeezed to five numbers and a small head on the digits; AdamW."""

import argparse
import contextlib

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="no gradients through the feature extractor")
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
labels = torch.tensor(digits.target)

extractor = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(64, 5), nn.Tanh(),
)  # fmt: skip
head = nn.Linear(5, 10)
optimizer = torch.optim.AdamW([*extractor.parameters(), *head.parameters()], lr=4e-3)
for epoch in range(12):
    total, correct = 0.0, 0
    for rows in torch.randperm(len(images)).split(64):
        with torch.no_grad() if args.fault else contextlib.nullcontext():
            features = extractor(images[rows])
        logits = head(features)
        loss = nn.functional.cross_entropy(logits, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
        correct += (logits.argmax(1) == labels[rows]).sum().item()
    print(f"epoch {epoch + 1} loss {total / len(images):.4f} accuracy {correct / len(images):.3f}")
save_state(extractor=extractor, head=head, optimizer=optimizer)
