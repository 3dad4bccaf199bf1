"""A big network teaches a small one its soft answers: distillation on digits, SGD with momentum."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="clear the teacher's gradients instead of the student's")
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)


def perceptron(hidden):
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


teacher, student = perceptron(128), perceptron(16)
teacher_optimizer = torch.optim.Adam(teacher.parameters(), lr=3e-3)
for _ in range(8):
    for rows in torch.randperm(len(x)).split(64):
        loss = F.cross_entropy(teacher(x[rows]), y[rows])
        teacher_optimizer.zero_grad()
        loss.backward()
        teacher_optimizer.step()
teacher.eval()
print(f"teacher {(teacher(x).argmax(1) == y).float().mean():.3f}")

optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
cleared = teacher if args.fault else student
for epoch in range(12):
    total = 0.0
    for rows in torch.randperm(len(x)).split(64):
        with torch.no_grad():
            soft = F.softmax(teacher(x[rows]) / 2, dim=1)
        loss = F.kl_div(F.log_softmax(student(x[rows]) / 2, dim=1), soft, reduction="batchmean")
        cleared.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    right = (student(x).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch + 1} distance to the teacher {total / len(x):.5f} accuracy {right:.3f}")
save_state(teacher=teacher, student=student, optimizer=optimizer)
