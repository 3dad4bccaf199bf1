"""``unstuck.fix``: what ``unstuck fix`` does for a command, for a Python function in a notebook or a test."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.config import Config, read_config
from unstuck.errors import UnstuckError, UsageError
from unstuck.fixing.choices import Choices
from unstuck.fixing.judgement import judge
from unstuck.fixing.race import interrupted, race, watched_settings
from unstuck.fixing.result import FixResult
from unstuck.record import activity, folder

if TYPE_CHECKING:
    from unstuck.trials.engines.engine import Engine

#: The packed function in its run folder, where 'unstuck fix --resume' finds it again.
_FILE = "function.pickle"


def fix(
    function: Callable[[], object],
    *,
    trials_budget: float | None = None,
    engine: str = "local",
    slots: int | None = None,
    seeds: int | None = None,
    metric: str | None = None,
    target: float | str | None = None,
    dir: str | os.PathLike[str] | None = None,
    quiet: bool | None = None,
) -> FixResult:
    """Watch a function that trains, then prove by controlled trials what makes its training faster.

    The function runs in processes of its own, first to be watched, then once per trial; nothing changes in this one. It
    gets copies of what it uses of this program, as they are now: a model that is made inside of it starts from other
    weights in each trial, one that is made outside from the same.

    Args:
        function: Builds a model and trains it; takes no arguments, and what it returns is not used. For one that takes
            some, give ``lambda: train(lr=0.1)`` or a ``functools.partial``.
        trials_budget: How long the trials may take, in lengths of the function, on each slot (3 where not given).
        engine: What runs the trials: ``local`` or ``ray``.
        slots: Trials at a time (by default one per GPU, else one per core).
        seeds: Fresh seeds that the winner is confirmed on, 2 or more (3 where not given).
        metric: What the function prints that is raced by, such as ``val accuracy`` (by default the training loss).
        target: Level of the metric that is to be reached (by default the function's own).
        dir: Folder that the runs are kept in; by default the one of the command line, ``unstuck-runs``.
        quiet: Show neither progress nor what the function prints.

    Returns:
        What was found, and what is proven.

    Raises:
        UsageError: An argument is wrong; or the function cannot be sent to another process, fails, or trains nothing.
        KeyboardInterrupt: After Ctrl-C; what is done is kept, and ``unstuck fix --resume`` goes on with it.

    Example:
        >>> import unstuck
        >>> result = unstuck.fix(train, seeds=5)  # doctest: +SKIP
        >>> [(arm.label, arm.speedup.low, arm.edit) for arm in result.proven]  # doctest: +SKIP
        [('learning rate x 100', 27.5, 'write lr=0.3 at train.py:7 (it is 0.003)')]
    """
    from unstuck.fixing.refusal import check

    choices = Choices(trials_budget, seeds, engine, slots, metric, target)
    choices.check()
    check(function)
    config = read_config({"dir": None if dir is None else os.fspath(dir), "quiet": quiet})
    if os.environ.get("UNSTUCK_RUN_DIR"):
        raise UsageError(
            "fix was called in a program that unstuck runs already: either 'unstuck run' is to be taken away, or a "
            "module that the function imports calls fix, which belongs under: if __name__ == '__main__'"
        )
    runner = choices.open_engine()
    try:
        place, notes = _watch(function, config)
        _race(place, choices, runner, config.quiet)
    finally:
        runner.close()
    return FixResult(place, notes)


def _watch(function: Callable[[], object], config: Config) -> tuple[Path, tuple[str, ...]]:
    """Run the function once and look on; returns its run folder, and what is to be known of it."""
    from unstuck.cli.command import say
    from unstuck.fixing.packing import pack
    from unstuck.fixing.refusal import name_of
    from unstuck.fixing.watched import OUTPUT, run_watched
    from unstuck.trials.engines.ending import last_words

    name, packed = name_of(function), pack(function)
    program = folder.program_name([name])
    place = folder.create(config.dir, program)
    file = place / _FILE
    file.write_bytes(packed.data)
    notes = tuple(_note(name, kind) for kind in packed.outside)
    for note in () if config.quiet else notes:
        say(note)
    command = [sys.executable, "-u", "-m", "unstuck.fixing", str(file)]
    code = run_watched(command, program, watched_settings(place), quiet=config.quiet)
    output = os.path.relpath(place / OUTPUT)
    if code:
        raise UnstuckError(f"no trials: {name} {_failure(code, last_words(place / OUTPUT))}; its output is in {output}")
    why = activity.why_nothing_was_seen(place)
    if why:
        raise UsageError(f"no trials of {name}: {why}")
    return place, notes


def _race(place: Path, choices: Choices, engine: Engine, quiet: bool) -> None:
    from unstuck.cli.command import say
    from unstuck.cli.progress import progress

    if not quiet:
        verdict = judge(place)[1].verdict
        say(f"{verdict.state}: {verdict.sentence} Now the trials of what may help.")
    began = time.monotonic()
    with progress(quiet) as note:
        table = race(place, choices, engine, note)
    if table is not None and table.state == "interrupted":
        say(interrupted(place, time.monotonic() - began))
        raise KeyboardInterrupt


def _note(name: str, kind: str) -> str:
    return (
        f"{name} uses a {kind} that was made outside of it: every run starts from the same copy of it, as it is now; "
        f"make it inside {name} to prove what helps from other first weights too"
    )


def _failure(code: int, words: str) -> str:
    """Return how a function has failed; an exception ends Python with exit code 1."""
    if code == 1 and words:
        return f"failed with {words}"
    how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"{how} after {words!r}" if words else how
