"""Whether outputs look ahead: what tells an autoencoder of sequences from targets that were not moved."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import unstuck

WORDS, LENGTH, EXAMPLES = 7, 12, 16


class Recurrent(nn.Module):
    """One output per place: from what came before, or from both sides."""

    def __init__(self, both: bool = False, batch_first: bool = True):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 8)
        self.memory = nn.GRU(8, 8, batch_first=batch_first, bidirectional=both)
        self.out = nn.Linear(16 if both else 8, WORDS)

    def forward(self, words: Tensor) -> Tensor:
        return self.out(self.memory(self.embed(words))[0])


class Attentive(nn.Module):
    """One layer of attention, with a mask or without."""

    def __init__(self, masked: bool):
        super().__init__()
        self.embed, self.out = nn.Embedding(WORDS, 8), nn.Linear(8, WORDS)
        self.masked = masked

    def forward(self, words: Tensor) -> Tensor:
        h = self.embed(words)
        return self.out(h + F.scaled_dot_product_attention(h, h, h, is_causal=self.masked))


class Bottleneck(nn.Module):
    """The whole sequence through one code."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.code = nn.Embedding(WORDS, 8), nn.Linear(8 * LENGTH, 5)
        self.out = nn.Linear(5, LENGTH * WORDS)

    def forward(self, words: Tensor) -> Tensor:
        return self.out(torch.tanh(self.code(self.embed(words).flatten(1)))).reshape(*words.shape, WORDS)


def rows(logits: Tensor, words: Tensor) -> Tensor:
    return F.cross_entropy(logits.reshape(-1, WORDS), words.reshape(-1))


def columns(logits: Tensor, words: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), words)


def ahead(model: nn.Module, loss, folder, time_first: bool = False) -> list[bool | None]:
    """Return what the probes of a run say whose targets are its inputs."""
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(0, WORDS, (EXAMPLES, LENGTH), generator=generator)
    words = words.t().contiguous() if time_first else words
    with unstuck.watch(folder=folder) as run:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            loss(model(words), words).backward()
            optimizer.step()
    found = [probe.m["targets"] for probe in run.run.probes if "targets" in probe.m]
    assert found
    assert all(m["same"] == 1 for m in found)
    return [m["ahead"] for m in found]


@pytest.mark.parametrize("loss", [rows, columns])
@pytest.mark.parametrize("model", [Recurrent(), Attentive(masked=True)], ids=["recurrent", "attentive"])
def test_outputs_that_see_only_what_came_before(model, loss, tmp_path):
    assert set(ahead(model, loss, tmp_path)) == {False}


def test_so_they_do_with_time_first(tmp_path):
    torch.manual_seed(0)
    assert set(ahead(Recurrent(batch_first=False), rows, tmp_path, time_first=True)) == {False}


@pytest.mark.parametrize(
    "model", [Recurrent(both=True), Attentive(masked=False), Bottleneck()], ids=["recurrent", "attentive", "bottleneck"]
)
def test_outputs_that_see_the_whole(model, tmp_path):
    assert set(ahead(model, rows, tmp_path)) == {True}
