"""Classify pen strokes with an LSTM over points: padded and packed sequences, dropout, AdamW with a one-cycle rate."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence


class StrokeClassifier(nn.Module):
    def __init__(self, classes, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, num_layers=2, dropout=0.1, batch_first=True)
        self.classify = nn.Linear(hidden, classes)

    def forward(self, strokes):
        lengths = torch.tensor([len(stroke) for stroke in strokes])
        packed = pack_padded_sequence(pad_sequence(strokes, True), lengths, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.classify(last[-1])


def stroke(kind):
    """Steps of the pen along a line, a zigzag, a circle or a spiral."""
    length = int(torch.randint(12, 25, ()))
    t = torch.linspace(0, 6.28, length)
    turn = [0 * t, 0.8 * torch.sign(torch.sin(4 * t)), t, t * (0.5 + t / 6)][kind]
    heading = turn + 6.28 * torch.rand(())
    return torch.stack([heading.cos(), heading.sin()], 1) + 0.2 * torch.randn(length, 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    labels = torch.randint(4, (800,))
    strokes = [stroke(kind) for kind in labels.tolist()]
    model = StrokeClassifier(4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=200)
    for epoch in range(10):
        model.train()
        for rows in torch.randperm(800).split(40):
            loss = nn.functional.cross_entropy(model([strokes[row] for row in rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(strokes).argmax(1) == labels).float().mean().item()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} accuracy {accuracy:.3f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
