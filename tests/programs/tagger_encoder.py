"""TransformerEncoder with dropout and padding masks, an eval pass after every epoch, state_dict saved midway."""

import argparse
import io

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 32, padding_idx=0)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.tag = nn.Linear(32, 3)

    def forward(self, tokens):
        return self.tag(self.encoder(self.embed(tokens), src_key_padding_mask=tokens == 0))


def batch(size):
    tokens = torch.randint(1, 12, (size, 14))
    tokens[torch.arange(14) >= torch.randint(6, 15, (size, 1))] = 0
    tags = (tokens + tokens.roll(1, 1)) % 3
    return tokens, tags.masked_fill(tokens == 0, -100)


model = Tagger()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
held_tokens, held_tags = batch(64)
for epoch in range(5):
    model.train()
    for _ in range(30):
        tokens, tags = batch(32)
        loss = nn.functional.cross_entropy(model(tokens).transpose(1, 2), tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        held = nn.functional.cross_entropy(model(held_tokens).transpose(1, 2), held_tags)
    print(f"epoch {epoch + 1} train {loss.item():.5f} held out {held.item():.5f}")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file := io.BytesIO())
    if epoch == 2:
        file.seek(0)
        model.load_state_dict(torch.load(file)["model"])
save_state(model=model, optimizer=optimizer)
