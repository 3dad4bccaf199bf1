"""How a trial's process has ended, as a result: read from its exit code, its record and its last words."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unstuck.record import activity, read_run
from unstuck.record.manifest import read_object
from unstuck.record.reader import Pulse
from unstuck.trials.spec import Result, Trial

#: Losses at the end of a record that are looked at: all of them lost is lost for good.
_LAST = 3
#: Bytes at the end of the output that are looked at.
_TAIL = 1 << 16
_LONGEST = 300
_OUT_OF_MEMORY = ("out of memory", "MemoryError", "Cannot allocate memory", "can't allocate memory")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process has ended.

    Attributes:
        code: Its exit code; minus the number of the signal that killed it.
        seconds: From start to end.
        hung: Whether it was ended because its time was up.
        problem: Why it could not be started; else empty.
    """

    code: int
    seconds: float
    hung: bool = False
    problem: str = ""


def classify(trial: Trial, ending: Ending) -> Result:
    """Return the result of a trial whose process has ended.

    Args:
        trial: The trial, with what its process has left in its folder.
        ending: How the process has ended.
    """
    pulse = read_run(trial.folder).pulse.get(trial.spec.optimizer, Pulse.empty())
    steps, seconds = int(pulse.step[-1]) + 1 if len(pulse) else 0, round(ending.seconds, 3)
    if ending.problem:
        return Result("crashed", 0, seconds, f"it cannot be started: {ending.problem}")
    if ending.hung:
        return Result("hung", steps, seconds, f"it did not end within {trial.spec.seconds:.0f} s")
    if faults := sorted(trial.folder.glob("attach-error-*.txt")):
        return Result("crashed", steps, seconds, f"unstuck could not attach to it: {_last_line(faults[0])}")
    losses = pulse.loss[pulse.loss_seen]
    lost = len(losses) > 0 and not np.isfinite(losses[-_LAST:]).any()
    if ending.code != 0 and not lost:
        return _failed(trial.folder, ending.code, steps, seconds)
    if missing := _missing(trial, steps):
        why = "; ".join(f"{kind}: {why}" if kind else why for kind, why in missing.items())
        return Result("not-applied", steps, seconds, why, missing)
    if lost:
        first = int(pulse.step[pulse.loss_seen][np.flatnonzero(~np.isfinite(losses))[0]]) + 1
        return Result("not-finite", steps, seconds, f"its loss was not finite at step {first} and at its end")
    if not steps:
        why = activity.why_nothing_was_seen(trial.folder) or "no step of an optimizer was seen"
        return Result("short", 0, seconds, why)
    if trial.spec.steps is not None and steps < trial.spec.steps:
        return Result("short", steps, seconds, f"it ended by itself after {steps} of {trial.spec.steps} steps")
    return Result("done", steps, seconds)


def _failed(folder: Path, code: int, steps: int, seconds: float) -> Result:
    """Return the result of a process that ended with an error."""
    words = last_words(folder / "output.txt")
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        reason = words if _memory(words) else "it was killed from outside, as happens where memory runs out"
        return Result("out-of-memory", steps, seconds, reason)
    if _memory(words):
        return Result("out-of-memory", steps, seconds, words)
    if code < 0:
        words = f"{_signal_name(-code)}{': ' if words else ''}{words}"
    return Result("crashed", steps, seconds, words or f"it ended with exit code {code}")


def _missing(trial: Trial, steps: int) -> Mapping[str, str]:
    """Return why remedies of the trial have found nothing to change, by kind; empty where all have."""
    if not trial.spec.remedies:
        return {}
    file = trial.folder / "applied.json"
    if not file.is_file():
        return {"": "no process of the program has told whether the remedy was applied"} if steps else {}
    missing: Mapping[str, str] = read_object(file).get("missing", {})
    return missing


def last_words(output: Path) -> str:
    """Return the line that says what went wrong: the exception of the last traceback, else the last line."""
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - _TAIL))
        lines = [line.rstrip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    traces = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    after = lines[traces[-1] + 1 :] if traces else []
    raised = next((line for line in after if not line[0].isspace()), None)
    return (raised or (lines[-1].strip() if lines else ""))[:_LONGEST]


def _last_line(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2][:_LONGEST]


def _memory(words: str) -> bool:
    return any(sign in words for sign in _OUT_OF_MEMORY)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have numbers only
        return f"signal {number}"
