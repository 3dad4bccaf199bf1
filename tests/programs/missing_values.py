"""Fill gaps: NaN where nothing was measured, a mask that keeps them out of the loss, attention masks of -inf."""

import argparse

import torch
from _state import save_state
from torch import nn


class Imputer(nn.Module):
    def __init__(self, features, width=32):
        super().__init__()
        self.value = nn.Linear(1, width)
        self.which = nn.Parameter(torch.randn(features, width) * 0.3)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def forward(self, x, missing):
        h = self.value(torch.nan_to_num(x).unsqueeze(-1)) + self.which
        mixed, _ = self.attention(h, h, h, key_padding_mask=missing, need_weights=False)
        return self.out(h * (~missing).unsqueeze(-1) + mixed).squeeze(-1)


def masked_mse(prediction, target):
    seen = ~torch.isnan(target)
    return torch.where(seen, (prediction - torch.nan_to_num(target)) ** 2, 0.0).sum() / seen.sum()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    mixing = torch.randn(3, 10)
    table = torch.tanh(torch.randn(3000, 3)) @ mixing
    model = Imputer(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(1, 801):
        rows = table[torch.randint(3000, (64,))]
        missing = torch.rand(64, 10) < 0.3
        missing[:, 0] = False
        target = rows.masked_fill(torch.rand(64, 10) < 0.2, float("nan"))
        loss = masked_mse(model(rows.masked_fill(missing, float("nan")), missing), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} masked loss {loss.item():.4f}")
    save_state(model=model, optimizer=optimizer)
