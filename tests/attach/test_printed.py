"""What a program prints is noted with its step, and printed as ever."""

from __future__ import annotations

import io
import logging
import sys

import pytest
import torch
from torch import nn

from unstuck.attach import printed
from unstuck.record import jsonl
from unstuck.trials.inside.stage import Stage
from unstuck.trials.inside.steps import Steps


def own_streams(monkeypatch):
    """Put streams of one's own in the place of the standard ones; not as a fixture, after which pytest puts its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    return out, err


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    stage.remove()


def note(stage, file):
    steps = Steps(stage)
    printed.note(lambda: steps.done, file)


def text(stream):
    return stream.buffer.getvalue().decode()


def noted(file):
    return [(record["step"], record["text"]) for record in jsonl.read(file)] if file.exists() else []


def test_lines_with_numbers_are_noted_with_the_steps_done(stage, tmp_path, monkeypatch):
    streams = own_streams(monkeypatch)
    note(stage, tmp_path / "printed.jsonl")
    stage.install()
    net = nn.Linear(1, 1)
    other = nn.Linear(1, 1)
    first, second = torch.optim.SGD(net.parameters(), 0.1), torch.optim.SGD(other.parameters(), 0.1)
    print("starting on", 2, "cores")
    for _ in range(3):
        first.step()
        second.step()
        second.step()
    print("val_acc:", 0.5, end="")
    print(" loss:", 0.25)
    print("done")
    assert noted(tmp_path / "printed.jsonl") == [(0, "starting on 2 cores"), (3, "val_acc: 0.5 loss: 0.25")]
    assert text(streams[0]) == "starting on 2 cores\nval_acc: 0.5 loss: 0.25\ndone\n"


def test_the_log_is_noted_and_progress_bars_are_not(stage, tmp_path, monkeypatch):
    streams = own_streams(monkeypatch)
    note(stage, tmp_path / "printed.jsonl")
    logger = logging.Logger("program")
    logger.addHandler(logging.StreamHandler())
    logger.warning("test accuracy = %s", 0.97)
    sys.stderr.write("\repoch 1:  10%| 1/10\repoch 1: 100%| 10/10\n")
    assert sys.stdout.write("one\ntwo 2\n") == 10
    assert noted(tmp_path / "printed.jsonl") == [(0, "test accuracy = 0.97"), (0, "two 2")]
    assert "100%" in text(streams[1])


def test_other_ranks_and_streams_that_take_nothing_are_left_alone(stage, tmp_path, monkeypatch):
    streams = own_streams(monkeypatch)

    class Fixed:
        __slots__ = ()

        def write(self, text):
            return 0

    monkeypatch.setattr(sys, "stdout", Fixed())
    monkeypatch.setattr(sys, "stderr", None)
    note(stage, tmp_path / "printed.jsonl")
    print("loss: 1.0")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(sys, "stdout", streams[0])
    note(stage, tmp_path / "printed.jsonl")
    print("loss: 1.0")
    assert noted(tmp_path / "printed.jsonl") == []


def test_a_file_that_cannot_be_written_is_no_harm_to_the_program(stage, tmp_path, monkeypatch):
    streams = own_streams(monkeypatch)
    note(stage, tmp_path / "gone" / "printed.jsonl")
    print("loss: 1.0")
    assert text(streams[0]) == "loss: 1.0\n"
