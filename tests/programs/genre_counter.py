"""Twelve genres from a song's twenty features, as a number or as a class: a small LightningModule-like class."""

import argparse

import torch
from _state import save_state
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

GENRES = 12


class GenreModule(nn.Module):
    """A network that knows its own training step."""

    def __init__(self, as_number):
        super().__init__()
        self.as_number = as_number
        self.network = nn.Sequential(
            nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1 if as_number else GENRES)
        )

    def training_step(self, batch):
        songs, genre = batch
        if self.as_number:
            return nn.functional.mse_loss(self.network(songs).squeeze(1), genre.float())
        return nn.functional.cross_entropy(self.network(songs), genre)

    def predict(self, songs):
        output = self.network(songs)
        return output.squeeze(1).round().long() if self.as_number else output.argmax(1)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


def fit(module, loader, test, epochs):
    optimizer = module.configure_optimizers()
    for epoch in range(1, epochs + 1):
        module.train()
        for batch in loader:
            optimizer.zero_grad()
            loss = module.training_step(batch)
            loss.backward()
            optimizer.step()
        module.eval()
        with torch.no_grad():
            accuracy = (module.predict(test[0]) == test[1]).float().mean().item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.4f}")
    return optimizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--as-number", action="store_true", help="one output, and squared error to the genre's index")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    styles = torch.randn(GENRES, 20)
    genre = torch.randint(GENRES, (2500,))
    songs = (styles[genre] + 0.8 * torch.randn(2500, 20)) / 1.28
    loader = DataLoader(TensorDataset(songs[:2000], genre[:2000]), batch_size=50, shuffle=True)
    module = GenreModule(args.as_number)
    optimizer = fit(module, loader, (songs[2000:], genre[2000:]), epochs=15)
    save_state(module=module, optimizer=optimizer)
