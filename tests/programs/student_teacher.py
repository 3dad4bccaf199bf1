"""Distillation: a small student follows a teacher that is trained beside it; two models, two optimizers."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_moons
from torch import nn


def mlp(width):
    return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="zero the teacher twice, the student never")
args = parser.parse_args()
torch.manual_seed(args.seed)
x, y = make_moons(1200, noise=0.15, random_state=args.seed)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
teacher, student = mlp(64), mlp(12)
teacher_optimizer = torch.optim.Adam(teacher.parameters(), lr=2e-3)
student_optimizer = torch.optim.SGD(student.parameters(), lr=0.2, momentum=0.9)
for step in range(1200):
    index = torch.randint(0, 1200, (64,))
    teacher_logits = teacher(x[index])
    teacher_loss = nn.functional.cross_entropy(teacher_logits, y[index])
    teacher_optimizer.zero_grad()
    teacher_loss.backward()
    teacher_optimizer.step()

    soft_targets = torch.softmax(teacher_logits.detach() / 2, dim=1)
    student_loss = -(soft_targets * torch.log_softmax(student(x[index]) / 2, dim=1)).sum(1).mean()
    (teacher_optimizer if args.fault else student_optimizer).zero_grad()
    student_loss.backward()
    student_optimizer.step()
    if step % 200 == 199:
        with torch.no_grad():
            accuracy = (student(x).argmax(1) == y).float().mean()
        print(f"step {step + 1} teacher {teacher_loss:.4f} student {student_loss:.4f} accuracy {accuracy:.3f}")
save_state(teacher=teacher, student=student, teacher_optimizer=teacher_optimizer, student_optimizer=student_optimizer)
