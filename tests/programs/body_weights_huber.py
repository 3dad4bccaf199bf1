"""Progression of diabetes from ten measurements with a robust loss of our own, written as an autograd.Function."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler


class Huber(torch.autograd.Function):
    """Mean Huber loss with threshold ``delta``: a square in the middle, straight lines outside."""

    flipped = False

    @staticmethod
    def forward(ctx, prediction, target, delta):
        error = prediction - target
        ctx.save_for_backward(error)
        ctx.delta = delta
        size = error.abs()
        return torch.where(size < delta, 0.5 * error**2, delta * (size - 0.5 * delta)).mean()

    @staticmethod
    def backward(ctx, grad_output):
        (error,) = ctx.saved_tensors
        slope = error.clamp(-ctx.delta, ctx.delta) / error.numel()
        if Huber.flipped:
            slope = -slope
        return grad_output * slope, None, None


def build(inputs):
    return torch.nn.Sequential(torch.nn.Linear(inputs, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))


def run(seed, epochs=60):
    x, y = load_diabetes(return_X_y=True)
    x = torch.tensor(StandardScaler().fit_transform(x), dtype=torch.float32)
    y = torch.tensor(StandardScaler().fit_transform(y[:, None]), dtype=torch.float32)
    torch.manual_seed(seed)
    order = torch.randperm(len(x))
    train, held = order[:350], order[350:]
    model = build(x.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(epochs):
        for rows in train[torch.randperm(350)].split(25):
            loss = Huber.apply(model(x[rows]), y[rows], 1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 9:
            with torch.no_grad():
                error = (model(x[held]) - y[held]).abs().mean().item()
            print(f"epoch {epoch + 1}: loss {loss.item():.4f}, mean absolute error {error:.4f} on held-out patients")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="the derivative of the loss has the wrong sign")
    options = parser.parse_args()
    Huber.flipped = options.fault
    run(options.seed)
