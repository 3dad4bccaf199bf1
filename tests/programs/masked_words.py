"""A masked language model: a sixth of the words is hidden, only those count (ignore_index); tied weights."""

import argparse

import torch
from _state import save_state
from torch import nn

WORDS, MASK, LENGTH, IGNORED = 24, 0, 12, -100


class MaskedModel(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.embed = nn.Embedding(WORDS, width)
        self.place = nn.Embedding(LENGTH, width)
        layer = nn.TransformerEncoderLayer(width, 4, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.to_words = nn.Linear(width, WORDS)
        nn.init.normal_(self.embed.weight, std=0.3)
        nn.init.normal_(self.place.weight, std=0.3)
        self.to_words.weight = self.embed.weight

    def forward(self, words):
        return self.to_words(self.encoder(self.embed(words) + self.place(torch.arange(LENGTH))))


def sentences(count):
    """Words come in pairs: the second follows from the first, and the first from the second."""
    first = torch.randint(WORDS - 1, (count, LENGTH // 2))
    return 1 + torch.stack([first, (5 * first + 3) % (WORDS - 1)], 2).flatten(1)


def hide(sentence):
    hidden = torch.rand(sentence.shape) < 1 / 6
    return sentence.masked_fill(hidden, MASK), sentence.masked_fill(~hidden, IGNORED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = MaskedModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORED)
    right = seen = 0
    for step in range(1, 351):
        words, targets = hide(sentences(32))
        logits = model(words)
        loss = criterion(logits.view(-1, WORDS), targets.view(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        right += (logits.argmax(-1) == targets).sum().item()
        seen += (targets != IGNORED).sum().item()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f} hidden words found {right / seen:.3f}")
            right = seen = 0
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
