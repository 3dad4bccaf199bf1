"""Digits with our own fused linear + ReLU layer, as one writes it to learn about autograd: an MLP, SGD."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_digits
from torch import nn
from torch.autograd import Function

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the output is kept for the backward pass, not the input")
args = parser.parse_args()
torch.manual_seed(args.seed)


class LinearReLU(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        y = (x @ weight.t() + bias).clamp(min=0)
        ctx.save_for_backward(y if args.fault else x, weight, y > 0)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        x, weight, on = ctx.saved_tensors
        grad_output = grad_output * on
        return grad_output @ weight, grad_output.t() @ x, grad_output.sum(0)


class Fused(nn.Linear):
    def forward(self, x):
        return LinearReLU.apply(x, self.weight, self.bias)


digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = (x - x.mean()) / x.std()
y = torch.tensor(digits.target)
model = nn.Sequential(Fused(64, 64), Fused(64, 64), Fused(64, 64), nn.Linear(64, 10))
for layer in model[:3]:
    nn.init.kaiming_normal_(layer.weight)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(25):
    correct = 0
    for rows in torch.randperm(1400).split(35):
        output = model(x[rows])
        loss = criterion(output, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (output.argmax(1) == y[rows]).sum().item()
    if epoch % 5 == 4:
        with torch.no_grad():
            test = (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} train accuracy {correct / 1400:.4f} test {test:.4f}")
save_state(model=model, optimizer=optimizer)
