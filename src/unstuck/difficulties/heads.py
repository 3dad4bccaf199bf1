"""The places where outputs meet targets, pooled over the probes of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unstuck.difficulties.case import Case, median
from unstuck.difficulties.finding import Where

#: Losses that measure a distance, by the names that the record has for them.
DISTANCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "squared error", "absolute error")
#: Losses of one class out of several.
CLASSIFIERS = ("cross_entropy", "nll_loss")
#: The same, and those that are written by hand.
LIKELIHOODS = (*CLASSIFIERS, "log-likelihood")
#: Losses of yes or no.
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


@dataclass(frozen=True)
class Place:
    """One place of the program, as all probes saw it.

    Attributes:
        kind: The loss.
        where: Its line.
        heads: What each probe saw there.
        steps: The step of each of them.
    """

    kind: str
    where: Where
    heads: list[dict[str, Any]]
    steps: list[int]

    def most(self, holds: Callable[[dict[str, Any]], bool]) -> bool:
        """Whether something holds at most probes."""
        return sum(map(holds, self.heads)) > 0.5 * len(self.heads)

    def median(self, *keys: str) -> float:
        """Return the median of a number, which may lie deeper, over the probes; NaN where none has it."""
        return median(_number(head, keys) for head in self.heads)

    @property
    def last(self) -> dict[str, Any]:
        """What the last probe saw."""
        return self.heads[-1]

    @property
    def target(self) -> str:
        """The kind of targets that most probes saw."""
        kinds = [str(head["target"].get("kind")) for head in self.heads]
        return max(set(kinds), key=kinds.count)

    @cached_property
    def classes(self) -> np.ndarray[Any, Any] | None:
        """Counts of whole-numbered targets, one row per probe that saw such; None where none did."""
        rows = [head["target"].get("classes") for head in self.heads]
        known = [row for row in rows if isinstance(row, list) and row]
        if not known:
            return None
        width = max(len(row) for row in known)
        return np.array([row + [0] * (width - len(row)) for row in known], dtype=float)


def places(case: Case) -> list[Place]:
    """Return the places of a run, the one that most probes saw first."""
    found: dict[tuple[Any, ...], list[tuple[dict[str, Any], int]]] = {}
    for probe in case.probes:
        for head in probe.m.get("task", {}).get("heads", ()):
            found.setdefault((head["kind"], head["file"], head["line"]), []).append((head, probe.step))
    listed = [
        Place(
            str(kind),
            Where(file=file, line=line) if file else case.at_step,
            [head for head, _ in seen],
            [step for _, step in seen],
        )
        for (kind, file, line), seen in found.items()
    ]
    return sorted(listed, key=lambda place: -len(place.heads))


def activation(head: dict[str, Any], *names: str, direct: bool = True) -> dict[str, Any] | None:
    """Return the last nonlinearity before a place where it is one of ``names``, None where it is another or none."""
    links = head["activations"]
    if not links or links[0]["name"] not in names or (direct and not links[0]["direct"]):
        return None
    found: dict[str, Any] = links[0]
    return found


def at(link: dict[str, Any], place: Place) -> Where:
    """Return the line of a nonlinearity, the loss's where it is not known."""
    return Where(file=link["file"], line=link["line"]) if link["file"] else place.where


def shape(tensor: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of a prediction or target."""
    return tuple(tensor["shape"])


def _number(head: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    value: Any = head
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
