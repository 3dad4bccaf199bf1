"""``gradients-not-zeroed``: each step still holds the gradients of the steps before, or its own were cleared too early.

Decision. Exact. At the first ``backward`` after a step the gradients of that step are still there (accumulating several
``backward`` calls *before* a step is another thing, and fine); or ``step`` meets gradients of zero though ``backward``
has just computed others.
"""

from __future__ import annotations

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure
from unstuck.difficulties.finding import Cost, Finding

#: Old gradients that are so much longer than the new ones have been added up for long: one such step is enough.
_OLD = 2.0


def find(case: Case) -> Finding | None:
    """Return the finding, None where gradients are cleared between steps."""
    audits = [(p, p.m["parameters"]) for p in case.probes if "parameters" in p.m]
    later = [(p, a) for p, a in audits if p.step > 0]
    stale = [(p, a) for p, a in later if (a.get("stale_norm") or 0) > 0]
    enough = len(stale) >= 2 or any(a["stale_norm"] > _OLD * _new(a) for _, a in stale if a.get("raw_norm") is not None)
    if enough and len(stale) >= 0.5 * len(later):
        probe, audit = stale[-1]
        times = audit["stale_norm"] / max(_new(audit), 1e-30) if audit.get("raw_norm") is not None else float("nan")
        return _finding(
            case,
            f"Gradients are not zeroed between steps: {len(stale)} of {len(later)} probed steps began with the "
            f"gradients of the steps before{_large(times, probe.step)}, so every step repeats old ones",
            "call optimizer.zero_grad() before loss.backward() at every step",
            {"probed steps that began with old gradients": len(stale), "probed steps": len(later), "old / new": times},
            stale[0][0].step,
        )
    cleared = [(p, a) for p, a in audits if (a.get("raw_norm") or 0) > 0 and not (a.get("used_norm") or 0) > 0]
    if len(cleared) >= 2 and len(cleared) >= 0.8 * len(audits):
        return _finding(
            case,
            "Gradients are zeroed between backward() and step(): the optimizer never sees them",
            "move optimizer.zero_grad() before loss.backward()",
            {"probed steps with cleared gradients": len(cleared), "probed steps": len(audits)},
            cleared[0][0].step,
        )
    return None


def _new(audit: dict[str, float]) -> float:
    return abs(audit["raw_norm"] - audit["stale_norm"])


def _large(times: float, step: int) -> str:
    return f" ({figure(times)} times as large as the new ones at step {step})" if np.isfinite(times) else ""


def _finding(case: Case, sentence: str, remedy: str, evidence: dict[str, object], step: int) -> Finding:
    worse = not case.learned
    return Finding(
        difficulty="gradients-not-zeroed",
        role="cause",
        confidence=0.97,
        sentence=sentence + ".",
        where=case.at_step,
        cost=Cost(float("inf"), 2.0, float("inf")) if worse else None,
        evidence=evidence,
        remedies=(remedy,),
        step=step,
    )
