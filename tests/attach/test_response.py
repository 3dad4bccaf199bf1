"""The network's output as a function of its input, off the tapes of programs, and the leaks that show in it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.attach.watching import watch
from unstuck.attach.quiet import no_warnings
from unstuck.measure import leak
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation

N = 12


def training(model, inputs, loss):
    """A loop of three steps, written the usual way."""

    def train():
        network = model()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            loss(network, inputs).backward()
            optimizer.step()

    return train


def classify(network, inputs):
    return F.cross_entropy(network(inputs), torch.arange(N) % 3)


def by_hand(network, inputs):
    return ((network(inputs) - 1.0) ** 2).mean()


class Net(nn.Module):
    """Layers as attributes, a forward as given."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def convolution(flatten):
    return lambda: Net(
        lambda m, x: m.head(flatten(F.relu(m.norm(m.conv(x)), inplace=True))),
        conv=nn.Conv2d(1, 4, 3),
        norm=nn.BatchNorm2d(4),
        head=nn.Linear(4 * 16, 3),
    )


def sequence(batch_first, swap):
    def forward(m, x):
        h = m.embed(x)
        out, _ = m.cell(h.transpose(0, 1) if swap else h)
        return m.head(out[:, -1] if not swap else out[-1])

    return lambda: Net(
        forward, embed=nn.Embedding(9, 6), cell=nn.LSTM(6, 5, batch_first=batch_first), head=nn.Linear(5, 3)
    )


def mlp(between):
    return lambda: Net(
        lambda m, x: m.last(between(torch.tanh(m.first(x)))), first=nn.Linear(6, 8), last=nn.Linear(8, 3)
    )


IMAGES, ROWS, WORDS = torch.randn(N, 1, 6, 6), torch.randn(N, 6), torch.arange(N * 7).reshape(N, 7) % 9


class Normalised(nn.Module):
    """A weight that is divided by its own length by hand: flatten() gives the parameter itself."""

    def __init__(self):
        super().__init__()
        self.direction, self.head = nn.Parameter(torch.randn(6)), nn.Linear(1, 3)

    def forward(self, x):
        d = self.direction.flatten()
        return self.head(torch.tanh(x @ (d / d.dot(d).sqrt()).unsqueeze(1)))


APART = {
    "a weight divided by its length": (Normalised, ROWS, classify),
    "convolutions and batch normalisation": (convolution(lambda h: h.flatten(1)), IMAGES, classify),
    "dropout": (mlp(lambda h: F.dropout(h, 0.5)), ROWS, classify),
    "an LSTM, batch first": (sequence(True, False), WORDS, classify),
    "an LSTM, time first": (sequence(False, True), WORDS, classify),
    "a loss by hand": (mlp(lambda h: h), ROWS, by_hand),
    "attention within an example": (
        lambda: Net(lambda m, x: m.mix(m.up(x), m.up(x), m.up(x))[0].mean(1), up=nn.Linear(1, 4),
                    mix=nn.MultiheadAttention(4, 2, batch_first=True)),
        ROWS.unsqueeze(2),
        by_hand,
    ),
    "a contrastive loss": (
        mlp(lambda h: h),
        ROWS,
        lambda m, x: F.cross_entropy(F.normalize(m(x), dim=1) @ F.normalize(m(x + 0.1), dim=1).t(), torch.arange(N)),
    ),
}  # fmt: skip
LEAKING = {
    "a reshape that mixes examples": (
        convolution(lambda h: h.permute(1, 0, 2, 3).reshape(N, -1)), IMAGES, classify,
    ),
    "softmax over the batch": (mlp(lambda h: h), ROWS, lambda m, x: F.mse_loss(m(x).softmax(0), torch.zeros(N, 3))),
    "normalised by the batch's mean": (mlp(lambda h: (h - h.mean(0)) / (h.std(0) + 1e-5)), ROWS, classify),
    "time and batch mixed up": (sequence(False, False), WORDS, classify),
}  # fmt: skip


def measured(entry, tmp_path, monkeypatch):
    seen = watch(training(*entry), tmp_path / "run", monkeypatch)
    assert seen.run.errors == []
    assert seen.whys == []
    with no_warnings():
        return leak.measure(Evaluation(seen.steps[0]))


@pytest.mark.parametrize("name", APART)
def test_examples_are_kept_apart(name, tmp_path, monkeypatch):
    found = measured(APART[name], tmp_path, monkeypatch)
    assert not found["leaks"], found
    assert found["examples"] == N
    assert found["norms"] == ("normalisation" in name)


@pytest.mark.parametrize("name", LEAKING)
def test_examples_leak(name, tmp_path, monkeypatch):
    found = measured(LEAKING[name], tmp_path, monkeypatch)
    assert found["leaks"], found
    assert found["file"].endswith("test_response.py")


def test_a_graph_joins_its_nodes_on_purpose(tmp_path, monkeypatch):
    neighbours = (torch.rand(N, N) < 0.4).float()
    entry = (mlp(lambda h: neighbours @ h), ROWS, classify)
    with pytest.raises(NotMeasurable, match="joined on purpose"):
        measured(entry, tmp_path, monkeypatch)


def test_the_response_at_the_inputs_is_the_output_and_leaves_the_generators_alone(tmp_path, monkeypatch):
    seen = watch(training(*APART["dropout"]), tmp_path / "run", monkeypatch)
    step = seen.steps[0]
    response = step.response()
    before = torch.get_rng_state()
    assert torch.equal(response.output(response.inputs), step.losses[0].prediction)
    assert torch.equal(torch.get_rng_state(), before)
