"""Does a bag hold no, one or two ripe patches? Attention pooling with softmax inside, log_softmax at the end."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--loss", choices=["nll", "cross-entropy", "cross-entropy-on-logs"], default="nll")
args = parser.parse_args()
torch.manual_seed(args.seed)


class AttentionBag(nn.Module):
    """Gated attention over the patches of a bag (Ilse et al., 2018)."""

    def __init__(self, features=12, hidden=32, classes=3):
        super().__init__()
        self.patch = nn.Linear(features, hidden)
        self.gate, self.key = nn.Linear(hidden, 16), nn.Linear(hidden, 16)
        self.weight = nn.Linear(16, 1)
        self.classify = nn.Linear(2 * hidden, classes)

    def forward(self, bag):
        patches = F.relu(self.patch(bag))
        attention = self.weight(torch.tanh(self.key(patches)) * torch.sigmoid(self.gate(patches)))
        attention = F.softmax(attention, dim=1)
        pooled = torch.cat([(attention * patches).sum(1), patches.sum(1) / 4], dim=1)
        scores = self.classify(pooled)
        return scores if args.loss == "cross-entropy" else F.log_softmax(scores, dim=1)


ripe = torch.randn(12)
ripe = 5 * ripe / ripe.norm()


def bags(count, size=10):
    how_many = torch.randint(3, (count,))
    patches = torch.randn(count, size, 12)
    places = torch.rand(count, size).argsort(1)[:, :2]
    for which in range(2):
        rows = torch.arange(count)[how_many > which]
        patches[rows, places[rows, which]] += ripe
    return patches / 1.1, how_many


net = AttentionBag()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
criterion = F.nll_loss if args.loss == "nll" else F.cross_entropy
test_bags, test_labels = bags(400)
for step in range(1, 601):
    patches, labels = bags(50)
    loss = criterion(net(patches), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        with torch.no_grad():
            accuracy = (net(test_bags).argmax(1) == test_labels).float().mean().item()
        print(f"step {step} loss {loss.item():.4f} accuracy {accuracy:.4f}")
save_state(net=net, optimizer=optimizer)
