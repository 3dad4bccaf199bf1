"""Forms of pulses in noise: a one-dimensional CNN with batch norm, measured one pulse at a time as a device would."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="the device runs the model in training mode")
args = parser.parse_args()
torch.manual_seed(args.seed)


def pulses(count):
    t = torch.arange(32.0)
    kind = torch.randint(3, (count,))
    size = torch.tensor([0.4, 1.0, 2.5])[kind][:, None]
    centre = torch.rand(count, 1) * 12 + 10
    wave = size * torch.exp(-((t - centre) ** 2) / 8)
    return (wave + 0.1 * torch.randn(count, 32)).unsqueeze(1), kind


model = nn.Sequential(
    nn.Conv1d(1, 8, 5), nn.BatchNorm1d(8), nn.ReLU(),
    nn.Conv1d(8, 8, 5, stride=2), nn.BatchNorm1d(8), nn.ReLU(),
    nn.Flatten(), nn.Linear(96, 3),
)  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
x, kind = pulses(1200)
test_x, test_kind = pulses(150)
for epoch in range(12):
    model.train()
    for rows in torch.randperm(1200).split(40):
        optimizer.zero_grad()
        loss = nn.functional.nll_loss(model(x[rows]).log_softmax(-1), kind[rows])
        loss.backward()
        optimizer.step()
    if not args.fault:
        model.eval()
    with torch.no_grad():
        answers = [model(pulse[None]).argmax().item() for pulse in test_x]
    right = sum(answer == true for answer, true in zip(answers, test_kind.tolist(), strict=True))
    print(f"epoch {epoch + 1}: training loss {loss.item():.4f}, device says {right / 150:.3f} right")
save_state(model=model, optimizer=optimizer)
