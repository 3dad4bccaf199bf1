"""Strength of concrete from its recipe: scikit-learn splits the data, an estimator class fits a regression network."""

import argparse

import numpy as np
import torch
from _state import save_state
from sklearn.model_selection import train_test_split


class Regressor:
    def __init__(self, inputs, lr=3e-3):
        self.net = torch.nn.Sequential(torch.nn.Linear(inputs, 40), torch.nn.GELU(), torch.nn.Linear(40, 1))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=lr)

    def fit(self, x, y, epochs=60, batch=40):
        for epoch in range(epochs):
            epoch_loss = 0.0
            for rows in torch.randperm(len(x)).split(batch):
                self.optimizer.zero_grad()
                error = self.net(x[rows])[:, 0] - y[rows]
                loss = error.square().mean()
                loss.backward()
                self.optimizer.step()
                epoch_loss += loss.item() * len(rows) / len(x)
            if epoch % 10 == 9:
                print(f"epoch {epoch + 1} squared error {epoch_loss:.4f}")

    @torch.no_grad()
    def score(self, x, y):
        return 1 - (self.net(x)[:, 0] - y).square().mean().item() / y.var().item()


def recipes(count, rng):
    water, cement, ash, days = rng.uniform(-1.7, 1.7, size=(4, count))
    strength = cement - water * cement * 0.5 + 0.4 * ash**2 + np.tanh(2 * days)
    strength = strength + 0.1 * rng.normal(size=count)
    return np.stack([water, cement, ash, days], 1), (strength - strength.mean()) / strength.std()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="split the targets with a seed of their own")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = recipes(1000, np.random.default_rng(args.seed))
    x_train, x_test = train_test_split(x, test_size=0.2, random_state=1)
    y_train, y_test = train_test_split(y, test_size=0.2, random_state=2 if args.fault else 1)
    x_train, x_test = torch.tensor(x_train).float(), torch.tensor(x_test).float()
    y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()
    model = Regressor(4)
    model.fit(x_train, y_train)
    print(f"R2 train {model.score(x_train, y_train):.3f} test {model.score(x_test, y_test):.3f}")
    save_state(net=model.net, optimizer=model.optimizer)
