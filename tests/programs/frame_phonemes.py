"""A sound for every frame of a noisy recording: LSTM, probabilities from nn.Softmax, log likelihood by hand."""

import argparse

import torch
from _state import save_state
from torch import nn

SOUNDS, FRAMES, BANDS = 8, 18, 10


class FrameReader(nn.Module):
    def __init__(self, axis):
        super().__init__()
        self.lstm = nn.LSTM(BANDS, 40, batch_first=True)
        self.head = nn.Linear(40, SOUNDS)
        self.probability = nn.Softmax(dim=axis)

    def forward(self, frames):
        hidden, _ = self.lstm(frames)
        return self.probability(self.head(hidden))


class Speech:
    """Recordings in which every sound lasts for three frames."""

    def __init__(self):
        self.spectrum = torch.randn(SOUNDS, BANDS)

    def sample(self, count):
        weights = torch.tensor([6.0, 4, 3, 2, 2, 1, 1, 1])  # some sounds are rarer than others
        sounds = torch.multinomial(weights.expand(count, -1), FRAMES // 3, replacement=True)
        sounds = sounds.repeat_interleave(3, dim=1)
        return (self.spectrum[sounds] + 0.9 * torch.randn(count, FRAMES, BANDS)) / 1.35, sounds


def log_loss(probability, sounds):
    return -torch.log(probability.clamp_min(1e-8)).gather(2, sounds[..., None]).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--softmax-axis", type=int, default=2, help="0 recordings, 1 frames, 2 sounds")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    speech = Speech()
    reader = FrameReader(args.softmax_axis)
    optimizer = torch.optim.Adam(reader.parameters(), lr=5e-3)
    held_frames, held_sounds = speech.sample(300)
    for step in range(1, 401):
        frames, sounds = speech.sample(32)
        loss = log_loss(reader(frames), sounds)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 80 == 0:
            with torch.no_grad():
                accuracy = (reader(held_frames).argmax(2) == held_sounds).float().mean().item()
            print(f"step {step} loss {loss.item():.4f} frames right {accuracy:.4f}")
    save_state(reader=reader, optimizer=optimizer)


if __name__ == "__main__":
    main()
