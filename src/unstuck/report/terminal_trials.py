"""What trials have proven, in the terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from unstuck.difficulties.finding import Diagnosis
from unstuck.report import words
from unstuck.report.effects import beside, effect, printed, raced_by
from unstuck.report.patch import Patch
from unstuck.report.terminal import put
from unstuck.report.trials import TrialArm, Trials
from unstuck.trials.by_hand import not_tried

_MOST_PROVEN, _MOST_OTHERS = 3, 8
#: What became of the arms that are not proven, in the order in which it is told.
_GROUPS: dict[str, Callable[[TrialArm], bool]] = {
    "not proven": lambda arm: arm.status == "not-proven",
    "helped less": lambda arm: arm.status == "dropped" and arm.gain > 0,
    "did not help": lambda arm: arm.status == "dropped" and not arm.gain > 0,
    "no measurement": lambda arm: arm.status == "failed",
    "not tried": lambda arm: arm.status in ("not-tried", "pending"),
}


def show(trials: Trials | None, diagnosis: Diagnosis, console: Console, patch: Patch | None = None) -> None:
    """Print the proven remedies with their edits, and what did not help.

    Args:
        trials: The trials, None where there were none.
        diagnosis: What the record of the watched run says.
        console: Where to print.
        patch: The edits of the best arm as a file, if they are one.
    """
    console.print()
    if trials is not None:
        found = bool(trials.proven)
        put(console, (f"{'PROVEN' if found else 'NOTHING PROVEN'}  ", "bold green" if found else "bold"), _head(trials))
        for arm in trials.proven[:_MOST_PROVEN]:
            console.print()
            _proven(arm, console)
            if patch is not None and arm is trials.proven[0]:
                # In one line, however long: it is there to be copied.
                console.print(Text("   or  ", "green") + Text(words.clean(patch.command)), soft_wrap=True)
        console.print()
        if trials.restarts is not None:
            put(console, ("restart  ", "bold"), Text(words.clean(trials.restarts.sentence)))
            console.print()
        for label, arms in _others(trials):
            put(console, (f"{label}  ", "dim"), Text(words.clean("; ".join(arms))))
    for name, why in not_tried(diagnosis):
        put(console, ("not tried  ", "dim"), Text(words.clean(f"a remedy for {name}: {why}")))


def sentence(trials: Trials | None) -> str:
    """Return the outcome in one line."""
    if trials is None:
        return "no trials were made"
    if not trials.proven:
        return f"no remedy is proven after {trials.count} trials{f': {trials.problem}' if trials.problem else ''}"
    best = trials.proven[0]
    return f"proven: {best.label} {effect(best)}"


def _head(trials: Trials) -> Text:
    took = f"{words.plural(trials.count, 'trial')} of {words.plural(len(trials.arms), 'arm')}"
    problem = f"; {trials.problem}" if trials.problem else ""
    by = f", raced {raced_by(trials)}" if trials.metric is not None else ""
    return Text(words.clean(f"{took}, {words.duration(trials.seconds)} of computing{by}{problem}"))


def _proven(arm: TrialArm, console: Console) -> None:
    put(console, ("   ", ""), Text(words.clean(arm.label), "bold"))
    put(console, ("   ", ""), Text(words.clean(effect(arm))))
    if beside(arm):
        put(console, ("   ", ""), Text(words.clean(beside(arm))))
    if printed(arm):
        put(console, ("   ", ""), Text(words.clean(f"at its end, as the program prints it: {printed(arm)}")))
    for edit in arm.edits:
        put(console, ("   do  ", "green"), Text(words.clean(edit.sentence)))


def _others(trials: Trials) -> list[tuple[str, list[str]]]:
    """Return the arms that are not proven, by what became of them."""
    groups = []
    for label, belongs in _GROUPS.items():
        arms = [arm for arm in trials.arms if belongs(arm)]
        with_reason = label in ("no measurement", "not proven")
        texts = [f"{arm.label} ({arm.reason})" if with_reason and arm.reason else arm.label for arm in arms]
        more = [f"and {len(texts) - _MOST_OTHERS} more"] if len(texts) > _MOST_OTHERS else []
        if texts:
            groups.append((label, [*texts[:_MOST_OTHERS], *more]))
    return groups
