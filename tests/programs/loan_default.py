"""Will a loan be paid back? A logistic unit on top of two layers, with the cross-entropy written out by hand."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the probabilities keep their last dimension")
args = parser.parse_args()
torch.manual_seed(args.seed)


class Scorer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(12, 48), torch.nn.LeakyReLU(), torch.nn.Linear(48, 24))
        self.score = torch.nn.Linear(24, 1)

    def forward(self, applicants):
        hidden = torch.nn.functional.leaky_relu(self.body(applicants))
        probability = torch.sigmoid(self.score(hidden))
        if args.fault:
            return probability
        return probability[:, 0]


def binary_cross_entropy(probability, paid):
    probability = probability.clamp(1e-6, 1 - 1e-6)
    return -(paid * probability.log() + (1 - paid) * (1 - probability).log()).mean()


applicants = torch.randn(2400, 12)
risk = applicants[:, 0] * applicants[:, 1] + applicants[:, 2:6].sum(1) - applicants[:, 7].abs()
paid = (risk + 0.3 * torch.randn(2400) > -0.8).float()
scorer = Scorer()
optimizer = torch.optim.AdamW(scorer.parameters(), lr=3e-3)
for epoch in range(20):
    order = torch.randperm(2000)
    for start in range(0, 2000, 40):
        rows = order[start : start + 40]
        loss = binary_cross_entropy(scorer(applicants[rows]), paid[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            said = scorer(applicants[2000:]).reshape(-1) > 0.5
        accuracy = (said == (paid[2000:] > 0.5)).float().mean().item()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} accuracy {accuracy:.4f}")
save_state(scorer=scorer, optimizer=optimizer)
