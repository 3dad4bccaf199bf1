"""What a rule is: from a run and one of its findings to arms that are worth a try."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unstuck.difficulties.finding import Finding
from unstuck.record import Run
from unstuck.remedies.remedy import Remedy

#: Remedies that are tried together, arm by arm, the most promising first.
Arms = Iterable[tuple[Remedy, ...]]
Rule = Callable[[Run, Finding], Arms]
