"""A character-level GPT on made-up arithmetic sentences: AdamW, warm-up, cosine, gradient clipping, tied weights."""

import argparse
import math
import random

import torch
import torch.nn as nn
from _state import save_state
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=240)
parser.add_argument("--lr", type=float, default=3e-3)
parser.add_argument("--weight-decay", type=float, default=0.1)
config = parser.parse_args()
random.seed(config.seed)
torch.manual_seed(config.seed)
BLOCK, WIDTH, HEADS, BATCH, WARMUP = 32, 48, 4, 24, 20

names, things = ["ann", "bob", "cy", "dora"], ["apples", "bees", "cups"]
text = "".join(f"{random.choice(names)} has {random.randint(2, 9)} {random.choice(things)}. " for _ in range(3000))
vocabulary = sorted(set(text))
data = torch.tensor([vocabulary.index(c) for c in text])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, HEADS, C // HEADS).transpose(1, 2) for t in self.qkv(self.ln1(x)).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])
        self.ln = nn.LayerNorm(WIDTH)
        self.apply(lambda m: nn.init.normal_(m.weight, std=0.02) if isinstance(m, (nn.Linear, nn.Embedding)) else None)

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.ln(x), self.wte.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


model = GPT(len(vocabulary))
optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, betas=(0.9, 0.95), weight_decay=config.weight_decay)
for step in range(config.steps):
    progress = max(0.0, (step - WARMUP) / (config.steps - WARMUP))
    scale = min(1.0, (step + 1) / WARMUP) * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = config.lr * scale
    start = torch.randint(len(data) - BLOCK - 1, (BATCH,))
    window = torch.stack([data[i : i + BLOCK + 1] for i in start])
    loss = model(window[:, :-1], window[:, 1:])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 40 == 39:
        print(f"iter {step + 1}: loss {loss.item():.4f}")
save_state(model=model, optimizer=optimizer)
