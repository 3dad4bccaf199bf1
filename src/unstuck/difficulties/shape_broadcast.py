"""``shape-broadcast``: outputs and targets of different shapes are blown up to all pairs.

Decision. Exact, from the tape: a loss (or a difference whose square or absolute value follows) compares outputs such as
``[N, 1]`` with targets such as ``[N]``; the result is ``[N, N]``, every output compared with every target. Its best
answer is the mean of the batch's targets for all. Two tensors with as many dimensions that are meant to be paired (as
in quantile regression) are not accused unless a loss function of torch was called, which warns of it itself.
"""

from __future__ import annotations

from typing import Any

from unstuck.difficulties.case import Case
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import places, shape


def find(case: Case) -> Finding | None:
    """Return the finding, None where outputs and targets have the same shape."""
    for place in places(case):
        if not place.most(_is_blown_up):
            continue
        head = next(h for h in reversed(place.heads) if _is_blown_up(h))
        outputs, targets = shape(head["prediction"]), shape(head["target"])
        mend = "pred.squeeze(-1)" if len(outputs) > len(targets) else "target.squeeze(-1)"
        return Finding(
            difficulty="shape-broadcast",
            role="cause",
            confidence=0.98,
            sentence=(
                f"Outputs of shape {list(outputs)} are compared with targets of shape {list(targets)}: broadcasting "
                f"makes {head['broadcast']} of it, every output against every target, and the best answer is the mean "
                f"target for all. Write {mend} in this comparison."
            ),
            where=place.where,
            cost=Cost(float("inf"), 2.0, float("inf")) if not case.learned else None,
            evidence={"outputs": list(outputs), "targets": list(targets), "compared": head["broadcast"]},
            remedies=(
                f"bring both to the same shape before the loss: {mend}, or target.view_as(pred)",
                "turn the warning into an error: python -W error::UserWarning",
            ),
            step=0,
        )
    return None


def _is_blown_up(head: dict[str, Any]) -> bool:
    known = head["kind"].endswith("_loss")
    return bool(head["broadcast"]) and (known or len(shape(head["prediction"])) != len(shape(head["target"])))
