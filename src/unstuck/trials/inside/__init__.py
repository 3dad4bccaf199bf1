"""What is different in the process of a trial. Runs in the user's program; knows nothing of other trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from unstuck.attach.session import Session


def protect(folder: str) -> None:
    """Prepare a process of a trial at its very start, before the program's first line.

    From here on what the program saves goes to the trial's own folder, experiment trackers are off, random seeds are
    those of the trial, and the process ends with the driver.

    Args:
        folder: The trial's folder, with its ``spec.json``.
    """
    from unstuck.trials.inside import files, lifeline, seeds, trackers
    from unstuck.trials.spec import read_spec

    spec = read_spec(Path(folder))
    lifeline.hold()
    trackers.turn_off(Path(folder))
    seeds.shift(spec.seed)
    files.redirect(Path(folder) / "files")


def treat(session: Session) -> None:
    """Put a trial's remedies into effect, right after the import of torch.

    Args:
        session: The session that records the trial, already hung into torch: its hooks see a step before the stage's
            put back what a remedy changed for it.
    """
    from unstuck.attach import printed
    from unstuck.remedies import from_json
    from unstuck.trials.inside import end, files, score, seeds
    from unstuck.trials.inside.stage import Stage
    from unstuck.trials.spec import read_spec

    folder = session.settings.run_dir
    spec = read_spec(folder)
    seeds.shift_torch(spec.seed)
    files.redirect_torch()

    def concerns(optimizer: Optimizer) -> bool:
        return not any(session.is_number(optimizer, number) for number in spec.apart)

    stage = Stage(
        spec.total_steps,
        counts=lambda optimizer: session.is_number(optimizer, spec.optimizer),
        concerns=concerns if spec.apart else None,
    )
    printed.note(lambda: session.steps_of(spec.optimizer), folder / "printed.jsonl")
    for values in spec.remedies:
        from_json(values).apply(stage)
    if spec.score:
        score.note(stage, folder / "score.jsonl")  # outside of what the remedies laid over the losses
    end.after(stage, spec, session)
    stage.install()
