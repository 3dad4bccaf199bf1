"""``wrong-mode``: layers are set to evaluation while the network is trained.

Decision. Exact, from the tape. Batch normalisations that train on running statistics which are still the initial 0 and
1: nothing is normalised (statistics that were loaded are never exactly that, so a fine-tuned network is not accused).
Or normalisations or dropouts that were in training mode at first and in evaluation mode from some step to the end:
``eval()`` was called, and ``train()`` never again. A run that went well all the same gets a note. Or the other way
round: whenever the trained network was run under ``no_grad``, its batch normalisations were in training mode, and that
was not at every step (which would be a part of the training, such as pseudo-labels).
"""

from __future__ import annotations

from typing import Any

from unstuck.difficulties.case import Case, share
from unstuck.difficulties.figures import number
from unstuck.difficulties.finding import Cost, Finding, Where
from unstuck.record import Probe

_WELL = 0.9


def find(case: Case) -> Finding | None:
    """Return the finding, None where the modes are right."""
    probes = [p for p in case.probes if "modes" in p.m]
    if not probes:
        return None
    tested = _tested_in_training(case)
    if tested is not None:
        return tested
    if share(_fresh(p) for p in probes) > 0.5:
        last = next(p for p in reversed(probes) if _fresh(p))
        count = last.m["modes"]["norms"]["fresh"]
        return _finding(
            case,
            last,
            f"{count} batch normalisations are trained in evaluation mode, with running statistics that were never "
            f"updated: they normalise nothing. Write model.train() before the training loop, and again after every "
            f"evaluation.",
            {"normalisations in evaluation mode": last.m["modes"]["norms"]["evaluating"], "never updated": count},
            0.95,
        )
    turned = _turned(probes)
    if turned is None:
        return None
    return _finding(
        case,
        turned,
        f"The network was put into evaluation mode before step {turned.step} and never back: {_what(turned)}. Write "
        f"model.train() at the start of every epoch.",
        {"first step in evaluation mode": turned.step, "probed steps": len(probes)},
        0.85,
    )


def _tested_in_training(case: Case) -> Finding | None:
    """Return the finding that the network is evaluated as it is trained, which spoils what the evaluation says."""
    seen = [e for e in case.run.events if e.get("name") == "evaluation" and number(e.get("norms")) > 0]
    if not seen or case.adversarial or not all(number(e.get("training")) >= number(e.get("norms")) for e in seen):
        return None
    if case.run_between_steps:
        return None  # pseudo-labels, a rollout; no evaluation
    first = seen[0]
    return Finding(
        difficulty="wrong-mode",
        role="cause",
        confidence=0.8,
        sentence=(
            f"The network is evaluated in training mode: its {first['norms']} batch normalisations use the statistics "
            f"of the evaluated batch and change their running ones by it, so the figures are not those of the trained "
            f"network. Write model.eval() before the evaluation and model.train() after it."
        ),
        where=Where(file=first.get("file"), line=first.get("line")) if first.get("file") else case.at_step,
        cost=None,
        evidence={"evaluations looked into": len(seen), "normalisations in training mode": first["norms"]},
        remedies=("call model.eval() before every evaluation, and model.train() after it",),
        step=first["step"] if isinstance(first.get("step"), int) else 0,
    )


def _fresh(probe: Probe) -> bool:
    return bool(probe.m["modes"]["norms"]["fresh"] > 0)


def _evaluating(probe: Probe) -> bool:
    modes = probe.m["modes"]
    return bool((modes["norms"]["evaluating"] or modes["dropouts"]["off"]) and not _training(probe))


def _training(probe: Probe) -> bool:
    modes = probe.m["modes"]
    return bool(modes["norms"]["training"] or modes["dropouts"]["on"])


def _turned(probes: list[Probe]) -> Probe | None:
    """Return the first probe in evaluation mode, where one in training mode came before and none after."""
    first = next((i for i, p in enumerate(probes) if _evaluating(p)), None)
    if first is None or first == 0 or not all(_evaluating(p) for p in probes[first:]) or len(probes) - first < 2:
        return None
    return probes[first] if all(_training(p) for p in probes[:first]) else None


def _what(probe: Probe) -> str:
    modes = probe.m["modes"]
    parts = []
    if modes["norms"]["evaluating"]:
        parts.append(f"{modes['norms']['evaluating']} batch normalisations no longer use the batch's statistics")
    if modes["dropouts"]["off"]:
        parts.append(f"{modes['dropouts']['off']} dropouts no longer drop")
    return " and ".join(parts)


def _finding(case: Case, probe: Probe, sentence: str, evidence: dict[str, object], confidence: float) -> Finding:
    modes: dict[str, Any] = probe.m["modes"]
    bad = case.course is None or case.course.ends_bad or not case.course.gain > _WELL
    where = Where(file=modes.get("file"), line=modes.get("line")) if modes.get("file") else case.at_step
    return Finding(
        difficulty="wrong-mode",
        role="cause" if bad else "note",
        confidence=confidence if bad else 0.5,
        sentence=sentence,
        where=case.at_step if case.at_step.file else where,
        cost=Cost(float("inf"), 1.5, float("inf")) if bad and not case.learned else None,
        evidence={**evidence, "first such layer": f"{modes.get('file')}:{modes.get('line')}"},
        remedies=("call model.train() before the steps of every epoch and model.eval() only around evaluation",),
        step=probe.step,
    )
