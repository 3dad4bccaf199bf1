"""A small GPT that learns to write sonnets, letter by letter: a healthy program.

Two blocks of causal attention, AdamW with warm-up. The loss starts at about ln 58 = 4.06, what guessing among the 58
characters costs, and soon passes 3.10, what knowing only how frequent each character is costs.

``unstuck run -- python examples/transformer.py`` accuses nothing. The twin with a fault is ``transformer_stuck.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TEXT = (Path(__file__).parent / "data" / "sonnets.txt").read_text()
CONTEXT, WIDTH, HEADS, BLOCKS, BATCH, STEPS = 64, 64, 4, 2, 16, 50


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.merge = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*qkv, is_causal=True)
        x = x + self.merge(attended.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, characters: int) -> None:
        super().__init__()
        self.letter, self.place = nn.Embedding(characters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters)

    def forward(self, text: Tensor) -> Tensor:
        x = self.letter(text) + self.place.weight[: text.shape[1]]
        return self.head(self.norm(self.blocks(x)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help=f"of {STEPS} steps each")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=int, default=50, help="steps until the learning rate is at its full height")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    alphabet = sorted(set(TEXT))
    text = torch.tensor([alphabet.index(character) for character in TEXT])
    model = GPT(len(alphabet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / max(1, args.warm_up)))

    for epoch in range(1, args.epochs + 1):
        total = correct = 0.0
        for _ in range(STEPS):
            starts = torch.randint(len(text) - CONTEXT, (BATCH, 1))
            window = text[starts + torch.arange(CONTEXT + 1)]
            logits, targets = model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten()
            loss = F.cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            warm_up.step()
            total += loss.item() / STEPS
            correct += (logits.argmax(1) == targets).float().mean().item() / STEPS
        print(f"epoch {epoch:3d}   loss {total:.4f}   accuracy {correct:6.1%}")


if __name__ == "__main__":
    main()
