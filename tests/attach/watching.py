"""Runs a few lines of training under a session, and gives what it has seen: the tapes' replays and the record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from unstuck.attach import probe
from unstuck.attach.attachment import Attachment
from unstuck.attach.budget import Budget
from unstuck.attach.captured import CapturedStep
from unstuck.record.reader import Run, read_run
from unstuck.settings import Settings


@dataclass
class Watched:
    """What was seen of a training.

    Attributes:
        run: The record.
        steps: The replayable steps, in order.
        result: What the training returned.
    """

    run: Run
    steps: list[CapturedStep] = field(default_factory=list)
    result: Any = None

    @property
    def whys(self) -> list[str]:
        """Why probes could not be replayed."""
        return [str(p.replay["why"]) for p in self.run.probes if not p.replay["ok"]]


def took(budget: Budget, step: int, seconds: float, now: float) -> None:
    """Let every step be a probe, but the one right after a probe (which a round cannot begin before)."""
    budget.next_step = step + 1


def watch(train: Callable[[], Any], folder: Path, monkeypatch: Any, fault: str = "", late: bool = False) -> Watched:
    """Run ``train`` from the same seed as :func:`plain`, every probe paid for, without the measurements."""
    steps: list[CapturedStep] = []

    class Kept(CapturedStep):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            steps.append(self)
            # As often as wanted, always the same: but only now, while the program waits.
            again = [p.clone().requires_grad_() for p in self.params]
            value = float(self.loss(again).detach())
            assert value == self.value or not math.isfinite(value)

    monkeypatch.setattr(probe, "CapturedStep", Kept)
    monkeypatch.setattr(probe, "MEASUREMENTS", ())
    monkeypatch.setattr(Budget, "wants", lambda *_: True)
    monkeypatch.setattr(Budget, "took", took)
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text('{"schema": 1}')
    torch.manual_seed(0)
    attachment = Attachment(Settings(folder, floor=1e6, fault=fault), late)
    try:
        result = train()
    finally:
        attachment.end()
    return Watched(read_run(folder), steps, result)


def plain(train: Callable[[], Any]) -> Any:
    """Run ``train`` as it is."""
    torch.manual_seed(0)
    return train()
