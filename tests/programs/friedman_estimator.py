"""Friedman's regression problem behind a fit/predict estimator in the manner of scikit-learn."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split


class NeuralRegressor:
    """A two-layer tanh network with ``fit`` and ``predict``."""

    def __init__(self, hidden=24, lr=0.05, epochs=80, batch_size=50, gain=1.0):
        self.hidden, self.lr, self.epochs, self.batch_size, self.gain = hidden, lr, epochs, batch_size, gain

    def _build(self, inputs):
        network = torch.nn.Sequential(
            torch.nn.Linear(inputs, self.hidden), torch.nn.Tanh(),
            torch.nn.Linear(self.hidden, self.hidden), torch.nn.Tanh(),
            torch.nn.Linear(self.hidden, 1),
        )  # fmt: skip
        for layer in network[:3:2]:
            torch.nn.init.xavier_normal_(layer.weight, gain=self.gain)
        return network

    def fit(self, x, y):
        self.network_ = self._build(x.shape[1])
        self.optimizer_ = torch.optim.SGD(self.network_.parameters(), lr=self.lr, momentum=0.8)
        for epoch in range(self.epochs):
            losses = [self._step(x[i], y[i]) for i in torch.randperm(len(x)).split(self.batch_size)]
            if (epoch + 1) % 10 == 0:
                print(f"epoch {epoch + 1}, training loss {torch.stack(losses).mean():.4f}")
        return self

    def _step(self, x, y):
        self.optimizer_.zero_grad()
        loss = torch.nn.functional.mse_loss(self.predict(x), y)
        loss.backward()
        self.optimizer_.step()
        return loss.detach()

    def predict(self, x):
        return self.network_(x).squeeze(1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--gain", type=float, default=1.0)
args = parser.parse_args()
torch.manual_seed(args.seed)
data, target = make_friedman1(1200, 10, noise=0.3, random_state=args.seed)
target = (target - target.mean()) / target.std()
parts = train_test_split((data - 0.5) * 3.46, target, test_size=0.2, random_state=args.seed)
x, x_test, y, y_test = (torch.tensor(part, dtype=torch.float32) for part in parts)
model = NeuralRegressor(gain=args.gain).fit(x, y)
print(f"R2 on the test set {1 - (model.predict(x_test) - y_test).square().mean().item() / y_test.var().item():.3f}")
save_state(network=model.network_, optimizer=model.optimizer_)
