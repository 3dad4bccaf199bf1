"""``not-finite``: a NaN or an infinity arose, and where.

Decision. Exact: a loss, an activation, a gradient or a parameter was not finite. It is a symptom where the loss had
grown out of all proportion before (see ``step-too-large`` and ``exploding-gradient``), else the cause.
"""

from __future__ import annotations

from typing import Any

from unstuck.difficulties.case import Case
from unstuck.difficulties.finding import Cost, Finding, Where


def find(case: Case) -> Finding | None:
    """Return the finding, None where all values stayed finite."""
    course = case.course
    event = next((e for e in case.run.events if e.get("name") == "not_finite"), None)
    probe = next((p for p in case.probes if _bad(p.m.get("not_finite", {}))), None)
    if event is None and probe is None and (course is None or course.first_bad is None):
        return None
    seen: dict[str, Any] = probe.m["not_finite"] if probe is not None else {}
    step = min(
        v
        for v in (event["step"] if event else None, probe.step if probe else None, course.first_bad if course else None)
        if v is not None
    )
    lasting = course is None or course.ends_bad
    kind = "NaN" if "nan" in str(seen.get("kind") or (event or {}).get("value") or "nan").lower() else "infinite"
    place, where = _place(case, seen, event)
    went_on = "and the run never recovered" if lasting else "and the run went on after it"
    return Finding(
        difficulty="not-finite",
        role="cause",
        confidence=0.9 if lasting else 0.7,
        sentence=f"A value became {kind} at step {step}{place}, {went_on}.",
        where=where,
        cost=Cost(float("inf"), float("inf"), float("inf")) if lasting else None,
        evidence={
            "step": step,
            "first seen in": seen.get("where"),
            "layer": seen.get("layer"),
            "operation": (event or {}).get("operation"),
            "parameters that are not finite": (event or {}).get("parameters_count"),
        },
        remedies=(
            "guard the operation: clamp the argument of log, sqrt and division away from 0 (or add a small epsilon)",
            "check the data for NaN and infinite values before training",
            "run once under torch.autograd.set_detect_anomaly(True)",
        ),
        step=step,
    )


def _bad(numbers: dict[str, Any]) -> bool:
    return isinstance(numbers.get("where"), str)


def _place(case: Case, seen: dict[str, Any], event: dict[str, Any] | None) -> tuple[str, Where]:
    """Say where the value arose, in words and as a place, from the best witness."""
    if event and event.get("operation"):
        where = Where(file=event.get("file"), line=event.get("line"))
        if where.file is None:
            where = case.at_step
        return f" in the operation '{event['operation']}'", where
    if seen.get("where") == "input":
        return " in the input data", case.at_layer(seen.get("layer"))
    if isinstance(seen.get("layer"), str):
        return f" in {seen['where']} of layer {seen['layer']}", case.at_layer(seen["layer"])
    if event and event.get("parameters_count"):
        names = ", ".join(event["parameters"][:3])
        return f" in the gradient of the step before (parameters {names})", case.at_step
    return "", case.at_step
