"""Six birds, some rarer than others, from features of their calls: softmax written out, then the log likelihood."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--dim", type=int, default=1, help="dimension along which the probabilities sum to one")
args = parser.parse_args()
torch.manual_seed(args.seed)

SHARES = torch.tensor([0.45, 0.25, 0.15, 0.08, 0.05, 0.02])
centres = torch.randn(6, 10)


def calls(count):
    bird = torch.multinomial(SHARES, count, replacement=True)
    return centres[bird] + 0.9 * torch.randn(count, 10), bird


class BirdNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = torch.nn.Linear(10, 40)
        self.upper = torch.nn.Linear(40, 6)

    def forward(self, features):
        return torch.softmax(self.upper(torch.tanh(self.lower(features))), dim=args.dim)


def likelihood_loss(probabilities, bird):
    chosen = probabilities.gather(1, bird.unsqueeze(1)).squeeze(1)
    return -torch.log(chosen + 1e-9).mean()


net = BirdNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
features, bird = calls(2000)
new_features, new_bird = calls(500)
for epoch in range(20):
    total = 0.0
    for rows in torch.randperm(2000).split(40):
        optimizer.zero_grad()
        loss = likelihood_loss(net(features[rows]), bird[rows])
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        said = torch.stack([net(call.unsqueeze(0)).argmax() for call in new_features])  # one by one, as outdoors
        accuracy = (said == new_bird).float().mean().item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {total / 50:.4f} accuracy on new calls {accuracy:.4f}")
save_state(net=net, optimizer=optimizer)
