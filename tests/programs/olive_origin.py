"""Where an olive oil comes from (30 groves, 12 acids): raw weights and a log-likelihood loss, Nesterov SGD."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state

GROVES, ACIDS = 30, 12


def logits(weights, x):
    hidden = torch.relu(F.linear(x, weights["w1"], weights["b1"]))
    return F.linear(hidden, weights["w2"], weights["b2"])


def grove_loss(weights, x, grove, twice):
    scores = logits(weights, x)
    if twice:
        scores = F.softmax(scores, dim=1)
    return F.nll_loss(F.log_softmax(scores, dim=1), grove)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="softmax comes before log_softmax")
    args = parser.parse_args()
    generator = torch.Generator().manual_seed(args.seed)
    centres = torch.randn(GROVES, ACIDS, generator=generator)
    grove = torch.randint(GROVES, (2400,), generator=generator)
    acids = (centres[grove] + 0.35 * torch.randn(2400, ACIDS, generator=generator)) / 1.06
    weights = {
        "w1": torch.randn(64, ACIDS, generator=generator) * (2 / ACIDS) ** 0.5,
        "b1": torch.zeros(64),
        "w2": torch.randn(GROVES, 64, generator=generator) * (1 / 64) ** 0.5,
        "b2": torch.zeros(GROVES),
    }
    for weight in weights.values():
        weight.requires_grad_()
    optimizer = torch.optim.SGD(weights.values(), lr=0.03, momentum=0.9, nesterov=True)
    for epoch in range(16):
        total = 0.0
        for rows in torch.randperm(2000, generator=generator).split(40):
            loss = grove_loss(weights, acids[rows], grove[rows], args.fault)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 50
        with torch.no_grad():
            accuracy = (logits(weights, acids[2000:]).argmax(1) == grove[2000:]).float().mean().item()
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} loss {total:.4f} groves right {accuracy:.4f}")
    save_state(**weights, optimizer=optimizer)


if __name__ == "__main__":
    main()
