"""An arm: the program with some remedies, or without any."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unstuck.remedies import from_json
from unstuck.remedies.remedy import Remedy

_LONGEST = 48


@dataclass(frozen=True)
class Arm:
    """What is tried.

    Attributes:
        remedies: The remedies, in the order in which they are applied; none for the program as it is.
        difficulty: The finding that called for it; empty where it is tried in any case.
    """

    remedies: tuple[Remedy, ...]
    difficulty: str = ""

    @property
    def name(self) -> str:
        """A name that is fit for a folder and tells every arm from every other: a label, and a hash of all values."""
        if not self.remedies:
            return "baseline"
        text = json.dumps([remedy.to_json() for remedy in self.remedies], sort_keys=True)
        slug = re.sub(r"[^\w.]+", "-", self.label)[:_LONGEST].strip("-.")
        return f"{slug}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"

    @property
    def label(self) -> str:
        """The arm in a few words."""
        return " and ".join(remedy.label for remedy in self.remedies) or "the program as it is"

    @property
    def changes_loss(self) -> bool:
        """Whether its loss means something else than the baseline's, so that errors are compared."""
        return any(remedy.changes_loss for remedy in self.remedies)

    @property
    def changes_step(self) -> bool:
        """Whether its step means something else than the baseline's, so that times are compared."""
        return any(remedy.changes_step for remedy in self.remedies)

    def joined(self, other: Arm) -> Arm | None:
        """Return both arms in one, None where both have a remedy of the same kind."""
        kinds = {remedy.kind for remedy in self.remedies}
        if any(remedy.kind in kinds for remedy in other.remedies):
            return None
        return Arm(self.remedies + other.remedies, self.difficulty)

    def to_json(self) -> dict[str, Any]:
        """Return the arm as JSON (inverse of :meth:`from_json`)."""
        return {"remedies": [remedy.to_json() for remedy in self.remedies], "difficulty": self.difficulty}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Arm:
        """Return an arm from its JSON.

        Raises:
            UsageError: It has a remedy that this version does not know.
        """
        remedies: Sequence[Mapping[str, Any]] = values["remedies"]
        return cls(tuple(from_json(remedy) for remedy in remedies), str(values["difficulty"]))


#: The program as it is.
BASELINE = Arm(())
