"""Gestures from an accelerometer: a transformer block over time; which parameters learn is chosen by name."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class GestureNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.lift = nn.Linear(3, 16)
        self.position = nn.Parameter(0.1 * torch.randn(24, 16))
        self.block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, classes)

    def forward(self, motion):
        return self.head(self.block(self.lift(motion) + self.position).mean(1))


def gestures(count):
    t = torch.linspace(0, 6.28, 24)
    kind = torch.randint(4, (count,))
    phase = 0.5 * torch.randn(count, 1)
    turns = torch.tensor([1.0, 2.0, 1.0, 2.0])[kind][:, None]
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0])[kind][:, None]
    motion = torch.stack([torch.cos(turns * t + phase), sign * torch.sin(turns * t + phase), 0 * t + phase], 2)
    return TensorDataset(motion + 0.5 * torch.randn(count, 24, 3), kind)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-only", default="", help="a part of the names of the parameters that shall learn")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    loader = DataLoader(gestures(1600), batch_size=32, shuffle=True)
    net = GestureNet(4)
    for name, parameter in net.named_parameters():
        parameter.requires_grad = args.train_only in name
    optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, net.parameters()), lr=5e-3)
    for epoch in range(8):
        losses, right = [], 0
        for motion, kind in loader:
            logits = net(motion)
            loss = nn.functional.cross_entropy(logits, kind)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            right += (logits.argmax(-1) == kind).sum().item()
        print(f"epoch {epoch + 1} loss {sum(losses) / len(losses):.4f} accuracy {right / 1600:.3f}")
    save_state(net=net, optimizer=optimizer)


if __name__ == "__main__":
    main()
