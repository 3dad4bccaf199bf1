"""A plain program: a small transformer that learns sonnets letter by letter, AdamW with warm-up, batch 16."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.transformer import CONTEXT, GPT, TEXT

BATCH, WARM_UP = 16, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4_000)
    steps = parser.parse_args().steps

    torch.manual_seed(0)
    alphabet = sorted(set(TEXT))
    text = torch.tensor([alphabet.index(character) for character in TEXT])
    model = GPT(len(alphabet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / WARM_UP))

    began = perf_counter()
    for _ in range(steps):
        starts = torch.randint(len(text) - CONTEXT, (BATCH, 1))
        window = text[starts + torch.arange(CONTEXT + 1)]
        loss = F.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warm_up.step()
    print(f"{steps} steps   {perf_counter() - began:.3f} s   loss {loss.item():.6f}")


if __name__ == "__main__":
    main()
