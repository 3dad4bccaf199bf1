"""The tasks of the tuned programs: data that scikit-learn brings or a formula makes, a network, a loss.

Each is small enough for some seconds on one thread. The data is always the same; the seed decides the first weights and
the order.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional as F

with contextlib.redirect_stdout(io.StringIO()):  # it prints itself
    import this

Loss = Callable[[nn.Module, Sequence[Tensor]], Tensor]


@dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes:
        data: Tensors with one row per example.
        build: Makes the network.
        loss: Loss of the network on some rows of the data.
        batch: Rows of a step; None for all of them.
        epochs: Passes over the data.
    """

    data: tuple[Tensor, ...]
    build: Callable[[], nn.Module]
    loss: Loss
    batch: int | None
    epochs: int


def _scored(loss: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """Return the loss of outputs against targets."""
    return lambda model, rows: loss(model(rows[0]), rows[1])


_classes = _scored(F.cross_entropy)
_squares = _scored(F.mse_loss)


def _digits() -> tuple[Tensor, Tensor]:
    inputs, labels = datasets.load_digits(return_X_y=True)
    return torch.tensor(inputs / 16, dtype=torch.float32), torch.tensor(labels)


def _table(load: Callable[..., tuple[object, object]], classes: bool) -> tuple[Tensor, Tensor]:
    """Return one of scikit-learn's tables, standardised."""
    inputs, targets = (torch.tensor(part) for part in load(return_X_y=True))
    inputs = ((inputs - inputs.mean(0)) / inputs.std(0)).float()
    return inputs, targets.long() if classes else ((targets - targets.mean()) / targets.std()).float()[:, None]


def _mlp(*widths: int, activation: type[nn.Module] = nn.ReLU, norm: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), *([nn.BatchNorm1d(fan_out)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


class _Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class _Recurrent(nn.Module):
    """A recurrent layer and a linear one on its last state, or on all states."""

    def __init__(self, layer: nn.RNNBase, outputs: int, every: bool = False, tokens: int | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, layer.input_size) if tokens else nn.Identity()
        self.layer, self.out, self.every = layer, nn.Linear(layer.hidden_size, outputs), every

    def forward(self, x: Tensor) -> Tensor:
        states = self.layer(self.embedding(x))[0]
        return self.out(states if self.every else states[:, -1])


class _Transformer(nn.Module):
    """A transformer of pre-normalised blocks over tokens or vectors."""

    def __init__(self, inputs: int, length: int, outputs: int, causal: bool) -> None:
        super().__init__()
        width = 32
        self.inputs = nn.Embedding(inputs, width) if causal else nn.Linear(inputs, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, outputs)
        self.mask = nn.Transformer.generate_square_subsequent_mask(length) if causal else None

    def forward(self, x: Tensor) -> Tensor:
        states = self.norm(self.blocks(self.inputs(x) + self.places, mask=self.mask))
        return self.out(states if self.mask is not None else states.mean(1))


class _Factors(nn.Module):
    """Two embeddings and biases whose products are ratings."""

    def __init__(self, users: int, films: int, rank: int) -> None:
        super().__init__()
        self.users, self.films = nn.Embedding(users, rank), nn.Embedding(films, rank)
        self.biases = nn.Embedding(films, 1)
        for table in (self.users, self.films, self.biases):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, pairs: Tensor) -> Tensor:
        user, film = pairs.unbind(1)
        return (self.users(user) * self.films(film)).sum(1) + self.biases(film)[:, 0]


class _Graph(nn.Module):
    """Two layers that mix each node's features with its neighbours' (Kipf and Welling, 2017)."""

    def __init__(self, adjacency: Tensor, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency)
        self.first, self.second = nn.Linear(inputs, 32), nn.Linear(32, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.adjacency @ self.second(F.relu(self.adjacency @ self.first(x)))


def _text(length: int) -> tuple[Tensor, Tensor, int]:
    """Return overlapping pieces of the Zen of Python, the same shifted by one, and the number of characters."""
    text = "".join(this.d.get(letter, letter) for letter in this.s)
    known = sorted(set(text))
    codes = torch.tensor([known.index(letter) for letter in text])
    pieces = codes.unfold(0, length + 1, 1)
    return pieces[:, :-1], pieces[:, 1:], len(known)


def _letters(model: nn.Module, rows: Sequence[Tensor]) -> Tensor:
    return F.cross_entropy(model(rows[0]).flatten(0, 1), rows[1].flatten())


def digits_mlp() -> Task:
    """Classify digits with one hidden layer."""
    return Task(_digits(), lambda: _mlp(64, 100, 10), _classes, 64, 20)


def digits_deep() -> Task:
    """Classify digits with four hidden layers and batch normalisation."""
    return Task(_digits(), lambda: _mlp(64, 64, 64, 64, 64, 10, norm=True), _classes, 64, 15)


def digits_cnn() -> Task:
    """Classify digits with two convolutions."""

    def build() -> nn.Module:
        convolutions = [nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        convolutions += [nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), *convolutions, nn.Flatten(), nn.Linear(96, 10))

    return Task(_digits(), build, _classes, 64, 12)


def digits_resnet() -> Task:
    """Classify digits with residual blocks."""

    def build() -> nn.Module:
        stem = [nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 12, 3, padding=1, stride=2)]
        return nn.Sequential(*stem, *(_Residual(12) for _ in range(3)), nn.Flatten(), nn.Linear(192, 10))

    return Task(_digits(), build, _classes, 64, 10)


def digits_transformer() -> Task:
    """Classify digits, a row of pixels at a time, with attention."""
    images, labels = _digits()
    return Task((images.unflatten(1, (8, 8)), labels), lambda: _Transformer(8, 8, 10, False), _classes, 64, 12)


def digits_autoencoder() -> Task:
    """Squeeze digits through eight units."""
    images, _ = _digits()
    return Task((images, images), lambda: _mlp(64, 48, 8, 48, 64), _squares, 64, 25)


def digits_contrast() -> Task:
    """Bring two noisy views of a digit together, away from those of others (InfoNCE)."""

    def loss(model: nn.Module, rows: Sequence[Tensor]) -> Tensor:
        one, other = (F.normalize(model(rows[0] + 0.2 * torch.randn_like(rows[0])), dim=1) for _ in range(2))
        return F.cross_entropy(one @ other.T / 0.2, torch.arange(len(one)))

    return Task(_digits()[:1], lambda: _mlp(64, 64, 32), loss, 64, 20)


def digits_two_heads() -> Task:
    """Tell a digit, and whether it is even, from shared features."""

    def loss(model: nn.Module, rows: Sequence[Tensor]) -> Tensor:
        scores = model(rows[0])
        return F.cross_entropy(scores[:, :10], rows[1]) + F.binary_cross_entropy_with_logits(
            scores[:, 10], (rows[1] % 2 == 0).float()
        )

    return Task(_digits(), lambda: _mlp(64, 64, 64, 11, activation=nn.GELU), loss, 64, 15)


def wine() -> Task:
    """Classify wines, all at once in every step."""
    return Task(_table(datasets.load_wine, True), lambda: _mlp(13, 16, 3), _classes, None, 200)


def iris() -> Task:
    """Classify irises with a linear layer, all at once in every step."""
    return Task(_table(datasets.load_iris, True), lambda: nn.Linear(4, 3), _classes, None, 300)


def cancer() -> Task:
    """Tell tumours apart."""
    inputs, labels = _table(datasets.load_breast_cancer, True)
    loss = _scored(F.binary_cross_entropy_with_logits)
    return Task((inputs, labels.float()[:, None]), lambda: _mlp(30, 24, 1), loss, 32, 20)


def diabetes() -> Task:
    """Predict the course of diabetes."""
    return Task(_table(datasets.load_diabetes, False), lambda: _mlp(10, 32, 1), _squares, 32, 30)


def friedman() -> Task:
    """Fit Friedman's function of five of ten inputs."""
    inputs, targets = datasets.make_friedman1(1000, noise=0.5, random_state=0)
    targets = (targets - targets.mean()) / targets.std()
    data = torch.tensor(2 * inputs - 1).float(), torch.tensor(targets).float()[:, None]
    return Task(data, lambda: _mlp(10, 48, 48, 1, activation=nn.GELU), _squares, 64, 30)


def sine() -> Task:
    """Fit two sines of one input, all points in every step."""
    x = torch.linspace(-1, 1, 128)[:, None]
    y = torch.sin(4 * x) + 0.3 * torch.sin(9 * x)
    return Task((x, y), lambda: _mlp(1, 32, 32, 1, activation=nn.SiLU), _squares, None, 500)


def quantile() -> Task:
    """Fit the upper tenth of a noisy curve by the pinball loss."""
    x = torch.linspace(-2, 2, 800)[:, None]
    y = torch.sin(2 * x) + (0.2 + 0.2 * x.abs()) * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))

    def pinball(outputs: Tensor, targets: Tensor) -> Tensor:
        rest = targets - outputs
        return torch.maximum(0.9 * rest, -0.1 * rest).mean()

    return Task((x, y), lambda: _mlp(1, 48, 48, 1), _scored(pinball), 50, 40)


def counts() -> Task:
    """Predict counts by Poisson regression with a hidden layer."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 8, generator=random)
    y = torch.poisson(torch.exp(0.5 + 0.6 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2]).clamp(max=20), generator=random)
    loss = _scored(lambda outputs, targets: F.poisson_nll_loss(outputs[:, 0], targets))
    return Task((x, y), lambda: _mlp(8, 32, 1), loss, 50, 30)


def waves() -> Task:
    """Tell four kinds of noisy waves apart with convolutions in time."""
    random = torch.Generator().manual_seed(0)
    t, labels = torch.linspace(0, 1, 48), torch.arange(1000) % 4
    phase = torch.rand(1000, 1, generator=random)
    wave = torch.sin(2 * torch.pi * ((2 + 1.5 * labels[:, None]) * t + phase))
    x = (wave + 0.7 * torch.randn(wave.shape, generator=random))[:, None]

    def build() -> nn.Module:
        layers = [
            nn.Conv1d(1, 12, 7, padding=3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(12, 24, 5, padding=2),
            nn.ReLU(),
        ]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(96, 4))

    return Task((x, labels), build, _classes, 50, 20)


def masks() -> Task:
    """Mark discs in noisy pictures, pixel by pixel."""
    random = torch.Generator().manual_seed(0)
    grid = torch.stack(torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij"))
    centres = 3 + 10 * torch.rand(400, 2, 1, 1, generator=random)
    radii = 2 + 2 * torch.rand(400, 1, 1, generator=random)
    inside = (((grid - centres) ** 2).sum(1) < radii**2).float()[:, None]
    x = inside + 0.8 * torch.randn(inside.shape, generator=random)

    def build() -> nn.Module:
        down = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1, stride=2), nn.ReLU()]
        up = [nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(16, 8, 2, stride=2), nn.ReLU()]
        return nn.Sequential(*down, *up, nn.Conv2d(8, 1, 3, padding=1))

    return Task((x, inside), build, _scored(F.binary_cross_entropy_with_logits), 32, 25)


def majority() -> Task:
    """Tell whether a sequence has more ones than zeros, with a GRU."""
    bits = torch.randint(0, 2, (1000, 15), generator=torch.Generator().manual_seed(0))
    labels = (bits.sum(1) > 7).float()[:, None]
    data = (2.0 * bits[:, :, None] - 1, labels)
    loss = _scored(F.binary_cross_entropy_with_logits)
    return Task(data, lambda: _Recurrent(nn.GRU(1, 16, batch_first=True), 1), loss, 50, 12)


def forecast() -> Task:
    """Predict the next value of a sum of sines, with an LSTM."""
    t = torch.arange(700.0)
    random = torch.Generator().manual_seed(0)
    series = torch.sin(0.31 * t) + 0.5 * torch.sin(0.117 * t) + 0.05 * torch.randn(700, generator=random)
    windows = series.unfold(0, 21, 1)
    data = windows[:, :-1, None], windows[:, -1:]
    return Task(data, lambda: _Recurrent(nn.LSTM(1, 24, batch_first=True), 1), _squares, 34, 12)


def letters_lstm() -> Task:
    """Learn a text, letter by letter, with an LSTM."""
    inputs, targets, known = _text(24)
    build = lambda: _Recurrent(nn.LSTM(24, 64, batch_first=True), known, every=True, tokens=known)  # noqa: E731
    return Task((inputs, targets), build, _letters, 40, 15)


def letters_gpt() -> Task:
    """Learn a text, letter by letter, with a causal transformer."""
    inputs, targets, known = _text(24)
    return Task((inputs, targets), lambda: _Transformer(known, 24, known, True), _letters, 40, 12)


def ratings() -> Task:
    """Fit ratings by factors of users and films."""
    random = torch.Generator().manual_seed(0)
    users, films = torch.randn(120, 4, generator=random), torch.randn(80, 4, generator=random)
    pairs = torch.stack([torch.randint(0, n, (4000,), generator=random) for n in (120, 80)], 1)
    rating = (users[pairs[:, 0]] * films[pairs[:, 1]]).sum(1) / 2 + 0.2 * torch.randn(4000, generator=random)
    return Task((pairs, rating), lambda: _Factors(120, 80, 6), _squares, 128, 20)


def reviews() -> Task:
    """Tell good reviews from bad ones by the mean of their words' embeddings."""
    random = torch.Generator().manual_seed(0)
    good = torch.arange(1200) % 2
    mood = torch.randint(0, 60, (1200, 3), generator=random) + 60 * good[:, None]
    words = torch.cat([torch.randint(120, 500, (1200, 17), generator=random), mood], 1)
    build = lambda: nn.Sequential(nn.EmbeddingBag(500, 16, mode="mean"), _mlp(16, 16, 2))  # noqa: E731
    return Task((words, good), build, _classes, 50, 15)


def citations() -> Task:
    """Classify the nodes of a graph, all at once in every step."""
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 4
    same = labels[:, None] == labels[None, :]
    edges = (torch.rand(300, 300, generator=random) < torch.where(same, 0.05, 0.01)).float()
    adjacency = ((edges + edges.T) > 0).float() + torch.eye(300)
    scale = adjacency.sum(1).rsqrt()
    features = F.one_hot(labels, 4) + 1.5 * torch.randn(300, 4, generator=random)
    features = torch.cat([features, torch.randn(300, 12, generator=random)], 1)
    mixed = scale[:, None] * adjacency * scale
    return Task((features, labels), lambda: _Graph(mixed, 16, 4), _classes, None, 200)


TASKS: dict[str, Callable[[], Task]] = {
    make.__name__: make
    for make in (
        digits_mlp,
        digits_deep,
        digits_cnn,
        digits_resnet,
        digits_transformer,
        digits_autoencoder,
        digits_contrast,
        digits_two_heads,
        wine,
        iris,
        cancer,
        diabetes,
        friedman,
        sine,
        quantile,
        counts,
        waves,
        masks,
        majority,
        forecast,
        letters_lstm,
        letters_gpt,
        ratings,
        reviews,
        citations,
    )
}
