"""Stripes of four directions, told apart by a deep narrow convolutional network; SGD with momentum."""

import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from _state import save_state


def stripes(count):
    """Return pictures of noisy stripes, 12 x 12, and the direction of each (0 to 3)."""
    direction = torch.randint(0, 4, (count,))
    angle = direction * (math.pi / 4) + 0.1 * torch.randn(count)
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
    phase = (torch.rand(count) * 2 * math.pi)[:, None, None]
    wave = torch.sin(1.6 * (angle.cos()[:, None, None] * columns + angle.sin()[:, None, None] * rows) + phase)
    return (wave + 0.3 * torch.randn(count, 12, 12))[:, None], direction


class DeepNet(nn.Module):
    def __init__(self, depth, channels, nonlinearity, alternate):
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth))
        self.head = nn.Linear(channels * 9, 4)
        self.nonlinearity = nonlinearity
        for conv in (self.stem, *self.convs):
            nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)
        for number, conv in enumerate(self.convs):
            conv.weight.data *= alternate if number % 2 else 1 / alternate

    def forward(self, x):
        return self.head(self.features(x))

    def features(self, x):
        x = F.max_pool2d(self.nonlinearity(self.stem(x)), 2)
        for number, conv in enumerate(self.convs):
            x = self.nonlinearity(conv(x))
            if number == 1:
                x = F.max_pool2d(x, 2)
        return x.flatten(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nonlinearity", default="leaky_relu")
    parser.add_argument("--alternate", type=float, default=1.0, help="scale convolutions up and down in turn")
    parser.add_argument("--fault", action="store_true", help="run the convolutions under no_grad, as for inference")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    images, labels = stripes(1024)
    net = DeepNet(8, 12, getattr(torch.nn.functional, args.nonlinearity), args.alternate)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, 1.0, total_iters=30)
    for epoch in range(20):
        losses, right = [], 0
        for batch in torch.randperm(1024).split(64):
            with torch.set_grad_enabled(not args.fault):
                features = net.features(images[batch])
            logits = net.head(features)
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            right += int((logits.argmax(1) == labels[batch]).sum())
        if epoch % 2:
            print(f"epoch {epoch}: train loss {sum(losses) / len(losses):.4f}, train accuracy {right / 1024:.3f}")
    save_state(net=net, optimizer=optimizer, scheduler=scheduler)


if __name__ == "__main__":
    main()
