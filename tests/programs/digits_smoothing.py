"""A CNN on digits with label smoothing and small random shifts of the pictures; SGD, Nesterov, step schedule."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class ShiftedDigits(Dataset):
    def __init__(self):
        digits = load_digits()
        self.images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1
        self.labels = digits.target.tolist()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        shift = int(torch.randint(-1, 2, ()))
        return self.images[i].roll(shift, -1), self.labels[i]


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
train_set, test_set = random_split(ShiftedDigits(), [1500, 297])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=99)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10),
)  # fmt: skip
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.3)
for epoch in range(10):
    net.train()
    running = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    scheduler.step()
    net.eval()
    with torch.no_grad():
        right = sum((net(images).argmax(1) == labels).sum().item() for images, labels in test_loader)
    print(f"epoch {epoch + 1} loss {running / len(train_loader):.4f} test accuracy {right / 297:.3f}")
save_state(net=net, optimizer=optimizer, scheduler=scheduler)
