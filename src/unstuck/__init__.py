"""unstuck: why a PyTorch training is slow or stuck, measured, and named at its line of code.

From a shell, ``unstuck run -- python train.py``. In a notebook or a test::

    import unstuck

    with unstuck.watch(model, optimizer) as run:
        train()
    print(run.verdict.sentence)

    unstuck.load("latest").findings_frame()

    print(unstuck.fix(train))  # train builds a model and trains it: what makes it faster, proven by trials

``unstuck.optim`` has an optimizer that torch does not have. All other modules are private. The command line and
programs under watch import this module too, so each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck import optim as optim
    from unstuck.attach.watch import Watch as Watch
    from unstuck.attach.watch import watch as watch
    from unstuck.difficulties.finding import Diagnosis as Diagnosis
    from unstuck.difficulties.finding import Finding as Finding
    from unstuck.difficulties.finding import Verdict as Verdict
    from unstuck.errors import UnstuckError as UnstuckError
    from unstuck.errors import UsageError as UsageError
    from unstuck.fixing.function import fix as fix
    from unstuck.fixing.result import FixResult as FixResult
    from unstuck.loading import LoadedRun as LoadedRun
    from unstuck.loading import load as load
    from unstuck.record.reader import Run as Run
    from unstuck.report.trials import TrialArm as TrialArm

__version__ = "0.1.0"

_PUBLIC = {
    "Diagnosis": "unstuck.difficulties.finding",
    "Finding": "unstuck.difficulties.finding",
    "FixResult": "unstuck.fixing.result",
    "LoadedRun": "unstuck.loading",
    "Run": "unstuck.record.reader",
    "TrialArm": "unstuck.report.trials",
    "UnstuckError": "unstuck.errors",
    "UsageError": "unstuck.errors",
    "Verdict": "unstuck.difficulties.finding",
    "Watch": "unstuck.attach.watch",
    "fix": "unstuck.fixing.function",
    "load": "unstuck.loading",
    "watch": "unstuck.attach.watch",
}


def __getattr__(name: str) -> object:
    if name == "optim":
        return import_module("unstuck.optim")
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC, "optim"})
