"""Where outputs meet targets, and how layers were set, as read off the tape of programs written in different ways."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.attach.watching import watch

torch.manual_seed(0)
X, Y, R = torch.randn(6, 5), torch.randint(3, (6,)), torch.randn(6)


@pytest.fixture
def step_of(tmp_path, monkeypatch):
    """Gives the first captured step of a model and a function of it."""

    def of(make, loss):
        def train():
            model = make()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(2):
                optimizer.zero_grad()
                loss(model).backward()
                optimizer.step()

        seen = watch(train, tmp_path / "run", monkeypatch)
        assert seen.run.errors == []
        assert seen.whys == []
        return seen.steps[0]

    return of


def test_a_known_loss_with_what_comes_before_it(step_of):
    (head,) = step_of(
        lambda: nn.Sequential(nn.Linear(5, 3), nn.Softmax(dim=1)), lambda m: F.cross_entropy(m(X), Y)
    ).heads
    assert (head.kind, head.broadcast) == ("cross_entropy", None)
    assert torch.equal(head.target, Y)
    (link,) = head.links
    assert (link.name, link.dim, link.direct) == ("softmax", 1, True)
    assert "nn.Softmax(dim=1)" in Path(__file__).read_text().splitlines()[link.line - 1]  # where it was made


def test_what_is_scaled_is_not_direct(step_of):
    (head,) = step_of(lambda: nn.Linear(5, 1), lambda m: F.mse_loss(4 * m(X).sigmoid().squeeze(1), R)).heads
    assert [(link.name, link.direct) for link in head.links] == [("sigmoid", False)]


@pytest.mark.parametrize(
    ("loss", "kind", "broadcast"),
    [
        (lambda out: ((out.squeeze(1) - R) ** 2).mean(), "squared error", None),
        (lambda out: ((out - R) ** 2).mean(), "squared error", [6, 6]),
        (lambda out: (R - out).pow(2).mean(), "squared error", [6, 6]),
        (lambda out: (out - R).abs().mean(), "absolute error", [6, 6]),
        (lambda out: (out - R[:, None]).square().mean(), "squared error", None),
    ],
)
def test_errors_written_by_hand(step_of, loss, kind, broadcast):
    (head,) = step_of(lambda: nn.Linear(5, 1), lambda m: loss(m(X))).heads
    assert (head.kind, head.broadcast) == (kind, broadcast)
    assert head.target.numel() == 6


@pytest.mark.parametrize(
    "loss",
    [
        lambda out: -out.log_softmax(1).gather(1, Y[:, None]).mean(),
        lambda out: -F.log_softmax(out, 1)[torch.arange(6), Y].mean(),
        lambda out: (out.logsumexp(1) - out.gather(1, Y[:, None]).squeeze(1)).mean(),
    ],
)
def test_likelihoods_written_by_hand(step_of, loss):
    (head,) = step_of(lambda: nn.Linear(5, 3), lambda m: loss(m(X))).heads
    assert head.kind == "log-likelihood"
    assert torch.equal(head.target, Y)


def test_an_error_by_hand_beside_a_known_loss(step_of):
    def loss(model):
        out = model(X)
        return ((out[:, 0] - R) ** 2).mean() + 0.01 * F.cross_entropy(out, Y)

    heads = step_of(lambda: nn.Linear(5, 3), loss).heads
    assert [head.kind for head in heads] == ["cross_entropy", "squared error"]


def test_a_penalty_beside_a_known_loss_is_no_place_of_its_own(step_of):
    def loss(model):
        out = model(X)
        return F.cross_entropy(out, Y) + out.square().mean() + sum(p.abs().sum() for p in model.parameters())

    assert [head.kind for head in step_of(lambda: nn.Linear(5, 3), loss).heads] == ["cross_entropy"]


def test_a_loss_without_targets_has_no_head(step_of):
    assert step_of(lambda: nn.Linear(5, 3), lambda m: m(X).square().mean()).heads == []


class Regularised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin, self.norm, self.drop = nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.drop(self.norm(self.lin(x)).relu()))


def test_modes(step_of):
    modes = step_of(Regularised, lambda m: F.cross_entropy(m(X), Y)).modes
    assert (modes.norms_training, modes.norms_evaluating, modes.dropouts_on, modes.dropouts_off) == (1, 0, 1, 0)
    assert modes.file is None
    modes = step_of(lambda: Regularised().eval(), lambda m: F.cross_entropy(m(X), Y)).modes
    assert (modes.norms_training, modes.norms_evaluating, modes.norms_fresh) == (0, 1, 1)
    assert (modes.dropouts_on, modes.dropouts_off) == (0, 1)
    assert "nn.BatchNorm1d(8)" in Path(__file__).read_text().splitlines()[modes.line - 1]


def test_running_statistics_that_were_learned_are_not_fresh(step_of):
    model = Regularised()
    model(X)
    modes = step_of(model.eval, lambda m: F.cross_entropy(m(X), Y)).modes
    assert (modes.norms_evaluating, modes.norms_fresh) == (1, 0)


def test_autocast(step_of):
    def loss(model):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(X)
        return F.cross_entropy(out.float(), Y)

    assert step_of(lambda: nn.Linear(5, 3), loss).modes.autocast == "bfloat16"


class Bags(nn.Module):
    """Texts of different lengths, as one row of words with the places where they begin."""

    def __init__(self) -> None:
        super().__init__()
        self.bag, self.out = nn.EmbeddingBag(9, 4), nn.Linear(4, 3)

    def forward(self, words: Tensor, starts: Tensor) -> Tensor:
        return self.out(self.bag(words, starts))


def test_bags_of_words_are_examples(step_of):
    words, starts = torch.randint(9, (20,)), torch.tensor([0, 3, 7, 11, 12, 16])
    assert step_of(Bags, lambda m: F.cross_entropy(m(words, starts), Y)).batch_size == 6


def test_one_row_of_words_is_one_example(step_of):
    words, next_words = torch.randint(9, (20,)), torch.randint(3, (20,))
    model = lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))  # noqa: E731
    assert step_of(model, lambda m: F.cross_entropy(m(words), next_words)).batch_size == 1
