"""What an engine is: it runs trials, each in a process of its own, and hands back how they ended."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from unstuck.trials.spec import Result, Trial


class Engine(Protocol):
    """Runs trials."""

    @property
    def slots(self) -> int:
        """How many trials run at the same time."""

    def run(self, trials: Sequence[Trial]) -> Generator[tuple[Trial, Result], None, None]:
        """Run trials and yield them as they end, each with a ``result.json`` in its folder.

        A trial that fails in whatever way is a result. When the generator is closed or an exception passes through it,
        the trials that still run are ended and leave no result.

        Args:
            trials: The trials; their folders are made anew.

        Yields:
            A trial and how it ended.
        """

    def close(self) -> None:
        """Give back what the engine holds."""
