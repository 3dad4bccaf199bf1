"""``report.json``: the diagnosis as data, the form that other programs read (schema 1)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from unstuck.difficulties.finding import Diagnosis, Finding
from unstuck.record import Run
from unstuck.report import facts
from unstuck.report.sooner import Sooner
from unstuck.report.trials import trials_of
from unstuck.trials.statistics import Interval

SCHEMA = 1


def to_json(run: Run, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the public form of a report, strict JSON values only.

    A number that JSON cannot hold is one of the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, as in the run
    folder: a cost of ``"Infinity"`` means that the run does not get there at all, and ``null`` always means that there
    is no such value.

    Args:
        run: The run.
        diagnosis: What its record says.

    Returns:
        ``schema``, ``verdict``, ``findings`` (most important first), ``trials``, ``restarts``, ``overhead``,
        ``not_measured``, ``run`` (facts of the run) and ``errors`` (faults of unstuck itself).
    """
    overhead = diagnosis.overhead
    return {
        "schema": SCHEMA,
        "verdict": {"state": diagnosis.verdict.state, "sentence": diagnosis.verdict.sentence},
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "trials": _trials(run),
        "restarts": _restarts(run),
        "overhead": {"fraction": strict(overhead.fraction), "seconds": strict(overhead.seconds)},
        "not_measured": [{"what": item.what, "why": item.why} for item in diagnosis.not_measured],
        "run": _run(run),
        "errors": strict(run.errors),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    where, cost = finding.where, finding.cost
    values = {
        "difficulty": finding.difficulty,
        "role": finding.role,
        "explains": list(finding.explains),
        "confidence": finding.confidence,
        "where": {"layer": where.layer, "parameter": where.parameter, "file": where.file, "line": where.line},
        "cost": cost
        and {"times_slower": cost.times_slower, "low": cost.low, "high": cost.high, "measured_by": cost.measured_by},
        "step": finding.step,
        "evidence": finding.evidence,
        "sentence": finding.sentence,
        "remedies": list(finding.remedies),
    }
    return {key: strict(value) for key, value in values.items()}


def _trials(run: Run) -> list[dict[str, Any]]:
    """Return the arms that were tried against the program as it is, the proven ones first."""
    trials = trials_of(run)
    if trials is None:
        return []
    return [
        {
            "remedy": arm.label,
            "difficulty": arm.difficulty or None,
            "proven": arm.status == "proven",
            "status": arm.status,
            "reason": arm.reason,
            "measure": arm.measure,
            "target": strict(arm.target),
            "speedup_steps": _interval(arm.steps, "times"),
            "speedup_time": _interval(arm.seconds, "times"),
            "final": _interval(arm.final, "difference"),
            "metrics": {name: _interval(change, "difference") for name, change in arm.metrics.items()},
            "metric_speedups": {name: _sooner(what) for name, what in arm.beside.items()},
            "edit": "; ".join(edit.sentence for edit in arm.edits),
            "edits": [
                {"sentence": edit.sentence, "file": edit.file, "line": edit.line, "diff": edit.diff}
                for edit in arm.edits
            ],
            "diff": arm.diff,
            "remedies": [strict(remedy) for remedy in arm.remedies],
            "folders": list(arm.trials),
        }
        for arm in trials.arms
    ]


def _restarts(run: Run) -> dict[str, Any] | None:
    """Return the two groups of seeds that the program as it is ends apart on; None where the seed does not decide."""
    trials = trials_of(run)
    if trials is None or trials.restarts is None:
        return None
    found = trials.restarts
    values = {**dataclasses.asdict(found), "runs": found.runs, "sentence": found.sentence}
    return {key: strict(value) for key, value in values.items()}


def _sooner(what: Sooner) -> dict[str, Any]:
    """Return how soon an arm is at a level of a metric that it was not raced by, and how it ends."""
    return {
        "target": strict(what.target),
        "speedup_steps": _interval(what.steps, "times"),
        "speedup_time": _interval(what.seconds, "times"),
        "final": _interval(what.final, "difference"),
    }


def _interval(interval: Interval | None, name: str) -> dict[str, Any] | None:
    """Return an interval under the name of what it is of; ``at_least`` says that it is a lower bound."""
    if interval is None:
        return None
    values = {name: interval.estimate, "low": interval.low, "high": interval.high}
    values |= {"pairs": interval.pairs, "at_least": interval.at_least}
    return {key: strict(value) for key, value in values.items()}


def _run(run: Run) -> dict[str, Any]:
    values = {
        "name": run.path.name,
        "program": facts.program(run),
        "command": facts.command(run),
        "started": run.start.get("time") or run.manifest.get("started"),
        "steps": run.steps,
        "seconds": None if math.isnan(facts.seconds(run)) else facts.seconds(run),
        "end": run.end,
        "device": run.start.get("device"),
        "hardware": facts.hardware(run),
        "exit_code": run.manifest.get("exit_code"),
        "world_size": run.start.get("world_size", 1),
        "versions": facts.versions(run),
        "optimizers": [
            {"name": o.name, "elements": o.elements, "file": o.file, "line": o.line} for o in run.optimizers
        ],
        "layers": len(run.layers),
        "probes": len(run.probes),
    }
    return {key: strict(value) for key, value in values.items()}


def strict(value: Any) -> Any:
    """Return ``value`` with JSON values only: other numbers and arrays converted, anything else as its text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        return strict(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [strict(item) for item in value]
    return str(value)
