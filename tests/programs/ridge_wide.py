"""More features than rows: a linear model with a strong weight decay, which is what makes it generalise."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--decay", type=float, default=0.3)
args = parser.parse_args()
torch.manual_seed(args.seed)
true = torch.randn(200) * (torch.rand(200) < 0.2)
x, x_test = torch.randn(150, 200), torch.randn(2000, 200)
y, y_test = x @ true + 3 * torch.randn(150), x_test @ true
model = torch.nn.Linear(200, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=args.decay)
for step in range(3000):
    index = torch.randint(0, 150, (50,))
    loss = torch.nn.functional.mse_loss(model(x[index]).squeeze(1), y[index])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 300 == 299:
        with torch.no_grad():
            test = torch.nn.functional.mse_loss(model(x_test).squeeze(1), y_test)
        print(f"step {step + 1} train {loss.item():.4f} test {test.item():.4f}")
save_state(model=model, optimizer=optimizer)
