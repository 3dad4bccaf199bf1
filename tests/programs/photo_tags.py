"""Several tags for each picture, most of them rare: a module with its loss in it, AdamW, F1 on held-out pictures."""

import argparse

import torch
from _state import save_state
from torch import nn

TAGS = 15


class PhotoTagger(nn.Module):
    """Returns a dictionary with the scores and, when tags are given, the loss."""

    def __init__(self, squash=False):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(40, 96), nn.GELU(), nn.LayerNorm(96))
        self.tags = nn.Linear(96, TAGS)
        self.squash = squash
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, features, tags=None):
        scores = self.tags(self.trunk(features))
        if self.squash:
            scores = torch.sigmoid(scores)
        result = {"scores": scores}
        if tags is not None:
            result["loss"] = self.loss(scores, tags)
        return result


def pictures(count, mixing):
    features = torch.randn(count, 40)
    tags = (features @ mixing / 40**0.5 > 1.1).float()  # about one tag in seven is there
    return features, tags


def f1(scores, tags):
    """F1 over all tags for the given logits."""
    said = (torch.sigmoid(scores) > 0.5).float()
    return (2 * (said * tags).sum() / (said.sum() + tags.sum())).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="the model returns probabilities to a loss for logits")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    mixing = torch.randn(40, TAGS)
    features, tags = pictures(3000, mixing)
    held_features, held_tags = pictures(500, mixing)
    model = PhotoTagger(squash=args.fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for epoch in range(1, 16):
        for rows in torch.randperm(3000).split(60):
            optimizer.zero_grad()
            loss = model(features[rows], tags[rows])["loss"]
            loss.backward()
            optimizer.step()
        if epoch % 3 == 0:
            with torch.no_grad():
                score = f1(model(held_features)["scores"], held_tags)
            print(f"epoch {epoch} loss {loss.item():.4f} F1 {score:.4f}")
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
