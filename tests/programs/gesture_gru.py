"""Eight gestures from the path of a hand: a GRU and nll_loss, with gradient clipping."""

import argparse
import math

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="nll_loss without log_softmax before it")
args = parser.parse_args()
torch.manual_seed(args.seed)


def gestures(count, length=20):
    """Closed curves with two frequencies, in one of two directions."""
    kind = torch.randint(8, (count,))
    angle = 2 * math.pi * (torch.arange(length) / length + torch.rand(count, 1))
    turns = (kind % 4 + 1).unsqueeze(1)
    direction = 1 - 2 * (kind // 4).unsqueeze(1)
    path = torch.stack([torch.cos(angle), torch.sin(direction * turns * angle)], dim=2)
    return 1.4 * path + 0.2 * torch.randn(count, length, 2), kind


class GestureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 48, batch_first=True)
        self.fc = nn.Linear(48, 8)

    def forward(self, path):
        scores = self.fc(self.gru(path)[0].mean(1))
        return scores if args.fault else F.log_softmax(scores, dim=1)


net = GestureNet()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
test_paths, test_kinds = gestures(400)
for iteration in range(1, 501):
    paths, kinds = gestures(50)
    optimizer.zero_grad()
    loss = F.nll_loss(net(paths), kinds)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    if iteration % 100 == 0:
        with torch.no_grad():
            accuracy = (net(test_paths).argmax(1) == test_kinds).float().mean().item()
        print(f"iteration {iteration} loss {loss.item():.4f} accuracy {accuracy:.4f}")
save_state(net=net, optimizer=optimizer)
