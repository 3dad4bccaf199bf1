"""From a watched run to its race: the settings and the arms, planned from what was found or as they were before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.fixing.judgement import judge
from unstuck.settings import Settings

if TYPE_CHECKING:
    from unstuck.difficulties.finding import Diagnosis
    from unstuck.fixing.choices import Choices
    from unstuck.record import Run
    from unstuck.record.reader import Pulse
    from unstuck.trials.arm import Arm
    from unstuck.trials.budget import RaceSettings
    from unstuck.trials.engines.engine import Engine
    from unstuck.trials.race import Progress
    from unstuck.trials.table import Table

    Plan = tuple[RaceSettings, list[Arm]]

#: Share of the watched run that measuring may take, and seconds in any case.
_MEASURING, _FLOOR = 0.25, 10.0


def watched_settings(run_dir: Path) -> Settings:
    """Return settings that measure more than 'unstuck run' does: the trials will take far longer than that.

    Args:
        run_dir: Folder of the watched run.
    """
    return Settings(run_dir, budget=_MEASURING, floor=_FLOOR, printed=True)


def race(place: Path, choices: Choices, engine: Engine, note: Callable[[Progress], None]) -> Table | None:
    """Try the remedies for what a run has; trials that were begun before go on as they were begun.

    Args:
        place: Folder of the watched run.
        choices: What the user chose.
        engine: Runs the trials. It is not closed.
        note: Is told how far the race is.

    Returns:
        The table of the race; None where there is nothing that could be tried.
    """
    from unstuck.trials.race import resumed, run_race
    from unstuck.trials.table_file import read_table

    if read_table(place / "trials"):
        planned: Plan | None = resumed(place / "trials")
    else:
        planned = plan(*judge(place), choices)
    return run_race(*planned, engine, note) if planned is not None else None


def why_none(run: Run) -> str:
    """Return why there is no race where :func:`race` returns None.

    Args:
        run: The watched run.
    """
    if not any(len(pulse) for pulse in run.pulse.values()):
        return "the program took no optimizer step that they could be compared by"
    return "no finding of this run has a remedy that can be tried from outside"


def interrupted(place: Path, seconds: float) -> str:
    """Return the sentence that a race was interrupted, with how it goes on.

    Args:
        place: Folder of the watched run.
        seconds: How long the race went on.
    """
    return f"interrupted after {seconds:.0f} s; 'unstuck fix --resume {place.name}' goes on"


def plan(run: Run, diagnosis: Diagnosis, choices: Choices) -> Plan | None:
    """Return what is to be tried, and how.

    Args:
        run: The watched run.
        diagnosis: What its record says.
        choices: What the user chose.

    Returns:
        The settings of the race and its arms, the most promising first; None where there is nothing to try.
    """
    from unstuck.remedies.proposals import propose
    from unstuck.trials.arm import Arm
    from unstuck.trials.budget import RaceSettings

    metric = choices.metric_of(run.path)
    if run.optimizers:
        index = _about(run, diagnosis) if metric is None else 0  # metrics are noted against the first one's steps
        run = run.focused(index)
    pulse = run.pulse.get(run.about or 0)
    proposals = propose(run, diagnosis) if pulse is not None and len(pulse) else []
    if pulse is None or not proposals:
        return None
    index, together = run.main_optimizer.index, [one.index for one in run.together]
    seconds = float(run.manifest.get("seconds") or pulse.time[-1])
    settings = RaceSettings(
        folder=run.path / "trials",
        command=tuple(run.manifest["command"]),
        steps=int(pulse.step[-1]) + 1,
        seconds=seconds,
        startup=max(0.0, seconds - float(pulse.time[-1] - pulse.time[0])),
        optimizer=index,
        apart=tuple(one.index for one in run.optimizers if one.index not in together),
        slots=None,
        budget_factor=choices.budget_factor,
        plateau=_plateau(run, diagnosis, index),
        lost=_lost(pulse),
        causes=tuple(finding.difficulty for finding in diagnosis.findings if finding.role == "cause"),
        seeds=choices.seed_numbers,
        metric=metric,
    )
    return settings, [Arm(proposal.remedies, proposal.difficulty) for proposal in proposals]


def _about(run: Run, diagnosis: Diagnosis) -> int:
    """Return the number of the optimizer whose training the first cause is about; without one, of the main one."""
    cause = next((finding for finding in diagnosis.findings if finding.role == "cause"), None)
    return run.main_optimizer.index if cause is None else cause.optimizer


def _plateau(run: Run, diagnosis: Diagnosis, index: int) -> float | None:
    """Return the loss of the best constant prediction where the run is stuck there, None where it is not."""
    from unstuck.difficulties.course import read_course

    course = read_course(run.pulse[index], run.of(index))
    if diagnosis.verdict.state != "stuck" or course is None or course.signed or course.constant is None:
        return None
    return course.constant if 0 < 0.9 * course.constant < course.end else None


def _lost(pulse: Pulse) -> int | None:
    """Return the steps after which the loss was no number any more, None where it ends as one."""
    import numpy as np

    losses = pulse.loss[pulse.loss_seen]
    finite = np.flatnonzero(np.isfinite(losses))
    if not len(losses) or (len(finite) and finite[-1] == len(losses) - 1):
        return None
    return int(pulse.step[pulse.loss_seen][finite[-1]]) + 2 if len(finite) else 1
