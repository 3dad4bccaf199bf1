"""Another type of numbers than the program asks for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.remedies.training import batch, network, run_of, same, staged, train
from unstuck.errors import UsageError
from unstuck.remedies.precision import Precision


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5, momentum=0.9)


class Narrow(nn.Module):
    """The small network as somebody writes it who wants 16 bits all the way."""

    def __init__(self, cast):
        super().__init__()
        self.cast = cast
        self.net = cast(network())

    def forward(self, x):
        return self.net(self.cast(x)).float()


CASTS = [
    lambda it: it.to(torch.bfloat16),
    lambda it: it.to("cpu", torch.float16),
    lambda it: it.to(dtype=torch.float16),
    lambda it: it.half(),
    lambda it: it.bfloat16(),
]


@pytest.mark.parametrize("cast", CASTS)
def test_a_network_that_is_cast_down_trains_as_one_in_float32(cast):
    with staged(Precision("float32")) as stage:
        treated = train(sgd, net=Narrow(cast))
    assert stage.applied == {"precision"}
    assert same(treated, train(sgd))
    assert not same(treated, train(sgd, net=Narrow(cast)))


def test_tensors_and_layers_that_are_made_in_16_bits_are_made_in_32():
    with staged(Precision("float32")) as stage:
        made = [
            torch.tensor([0.1], dtype=torch.float16),
            torch.zeros(2, dtype=torch.bfloat16, requires_grad=True),
            torch.from_numpy(np.ones(2, np.float16)),
            torch.ones(2).new_full((2,), 0.1, dtype=torch.float16),
            nn.Linear(2, 3, dtype=torch.bfloat16).weight,
        ]
    assert stage.applied == {"precision"}
    assert {tensor.dtype for tensor in made} == {torch.float32}
    assert float(made[0]) == float(np.float32(0.1))
    assert [tensor.requires_grad for tensor in made] == [False, True, False, False, True]
    assert torch.zeros(2, dtype=torch.float16).dtype == torch.float16


def test_a_cast_gives_a_tensor_of_its_own():
    with staged(Precision("float32")):
        x = torch.ones(3)
        x.half().mul_(2)
        x.to(torch.bfloat16).mul_(2)
        assert x.to(torch.float32) is x
    assert torch.equal(x, torch.ones(3))


def test_weights_that_were_16_bits_before_are_widened_in_place():
    net = network().half()
    with staged(Precision("float32")) as stage:
        optimizer = sgd(list(net.parameters()))
        net(batch(0)[0]).sum().backward()
        optimizer.step()
    assert stage.applied == {"precision"}
    assert {p.dtype for group in optimizer.param_groups for p in group["params"]} == {torch.float32}


class Mixed(nn.Module):
    def __init__(self, kind=torch.float16, enabled=True):
        super().__init__()
        self.net, self.kind, self.enabled = network(), kind, enabled

    def forward(self, x):
        with torch.autocast("cpu", dtype=self.kind, enabled=self.enabled):
            return self.net(x).float()


def test_autocast_is_off_or_casts_to_the_type_with_the_larger_range():
    with staged(Precision("float32")) as stage:
        treated = train(sgd, net=Mixed())
    assert stage.applied == {"precision"}
    assert same(treated, train(sgd))
    with staged(Precision("bfloat16")) as stage:
        treated = train(sgd, net=Mixed())
    assert stage.applied == {"precision"}
    assert same(treated, train(sgd, net=Mixed(torch.bfloat16)))
    assert not same(treated, train(sgd, net=Mixed()))


@pytest.mark.parametrize("to", ["float32", "bfloat16"])
def test_a_program_in_32_bits_is_left_alone(to):
    with staged(Precision(to)) as stage:
        treated = train(sgd, net=Mixed(enabled=False))
    assert same(treated, train(sgd))
    assert stage.applied == set()
    assert stage.why_not["precision"].startswith("no autocast" if to == "bfloat16" else "the program asks for no")


def test_in_float64_a_network_learns_from_the_same_random_numbers():
    with staged(Precision("float64")) as stage:
        treated = train(sgd, net=network(nn.Dropout(0.0)))
    assert stage.applied == {"precision"}
    assert {p.dtype for p in treated} == {torch.float64}
    plain = train(sgd)
    assert all(torch.allclose(a.float(), b, atol=1e-5) for a, b in zip(treated, plain, strict=True))


def test_loose_weights_keep_their_digits_in_float64():
    start = 1_700_000_000.0 + torch.arange(2, dtype=torch.float64)
    with staged(Precision("float64")) as stage:
        weight = start.float().requires_grad_()
        optimizer = torch.optim.SGD([weight], 0.25)
        weight.sum().backward()
        optimizer.step()
    assert stage.applied == {"precision"}
    assert torch.equal(weight, start - 0.25)
    assert start.requires_grad is False


EDITS = [
    ("model.half()\n", "float32", "write float32 in the place of 16 bits at train.py:1; if", "+model.float()"),
    ("x.to(torch.bfloat16)\n", "float32", "write float32 in the place of 16 bits at train.py:1; if", "torch.float32)"),
    (
        "with torch.autocast('cpu', dtype=torch.float16):\n    pass\n",
        "float32",
        "write enabled=False in torch.autocast at train.py:1, or",
        "+with torch.autocast('cpu', dtype=torch.float16, enabled=False):",
    ),
    (
        "with torch.autocast('cpu', dtype=torch.float16):\n    pass\n",
        "bfloat16",
        "write torch.bfloat16 in torch.autocast at train.py:1",
        "+with torch.autocast('cpu', dtype=torch.bfloat16):",
    ),
]


@pytest.mark.parametrize(("source", "to", "sentence", "diff"), EDITS)
def test_the_edit_names_the_line(tmp_path, source, to, sentence, diff):
    edit = Precision(to).edit(run_of(source, tmp_path))
    assert edit.sentence.startswith(sentence)
    assert (edit.file, edit.line) == ("train.py", 1)
    assert diff in edit.diff


def test_the_edit_of_several_lines_is_in_words(tmp_path):
    edit = Precision("float32").edit(run_of("model.half()\nx.half()\n", tmp_path))
    assert "at train.py:1, train.py:2" in edit.sentence
    assert edit.diff == ""


def test_an_argument_that_asks_for_16_bits_is_named():
    run = run_of()
    run.manifest["command"] = ["python", "train.py", "--dtype", "bfloat16"]
    assert "(the program is started with --dtype bfloat16)" in Precision("float32").edit(run).sentence


def test_there_are_three_precisions():
    assert [Precision(to).label for to in ("float32", "bfloat16", "float64")] == [
        "computed in float32",
        "autocast to bfloat16",
        "computed in float64",
    ]
    with pytest.raises(UsageError, match="there is no precision 'int8'"):
        Precision("int8")
