"""Looks at a network after each output phase: how well it does on cases kept apart, and what to tell the user."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.progress import Progress

from unstuck.constructive.growth import Problem
from unstuck.constructive.network import Cascade


class Watcher:
    """Notes validation errors, prints a line a unit, moves a progress bar: a context manager and a monitor of ``grow``.

    Args:
        validation: Cases kept apart; None where there are none.
        patience: Growth ends after so many units without a lower validation error.
        max_hidden: Hidden units at most, for the bar.
        verbose: Whether to print a line a unit.
        progress: Whether to show a bar.

    Attributes:
        errors: Mean squared error on the cases kept apart, by number of hidden units.
    """

    def __init__(
        self, validation: Problem | None, patience: int, max_hidden: int, verbose: bool, progress: bool
    ) -> None:
        self._validation, self._patience, self._verbose = validation, patience, verbose
        self.errors: dict[int, float] = {}
        self._bar = Progress(disable=not progress)
        self._task = self._bar.add_task("hidden units", total=max_hidden)

    def __enter__(self) -> Watcher:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def best(self) -> int | None:
        """Number of hidden units with the lowest validation error; None without one."""
        return min(self.errors, key=lambda units: (self.errors[units], units)) if self.errors else None

    def __call__(self, trial: int, network: Cascade) -> bool:
        """Look at a network, and say whether it has grown enough.

        Args:
            trial: Its number.
            network: The network, after an output phase.
        """
        units = network.hidden_units
        line = f"{units:4d} hidden units  epoch {network.epochs:6d}  squared error {network.phases[-1].value:.4g}"
        if self._validation is not None:
            self.errors[units] = _mean_square(network, self._validation)
            line += f"  validation {self.errors[units]:.4g}"
        if self._verbose:
            print(line, flush=True)
        self._bar.update(self._task, completed=units)
        return self.best is not None and units - self.best >= self._patience

    def history(self, network: Cascade) -> list[dict[str, Any]]:
        """Return the phases of a network's training as plain values.

        Args:
            network: The network.
        """
        rows: list[dict[str, Any]] = []
        epochs = units = 0
        for phase in network.phases:
            epochs += phase.epochs
            row: dict[str, Any] = {
                "phase": phase.kind,
                "hidden_units": units,
                "epochs": phase.epochs,
                "epochs_so_far": epochs,
            }
            if phase.kind == "outputs":
                row |= {"squared_error": phase.value}
                if units in self.errors:
                    row |= {"validation_error": self.errors[units]}
            else:
                row |= {"score": phase.value}
                units += 1
            rows.append(row)
        return rows


def _mean_square(network: Cascade, problem: Problem) -> float:
    squares = (network(problem.inputs) - problem.targets) ** 2
    if problem.weights is not None:
        return float((squares.mean(1) * problem.weights).sum() / problem.weights.sum())
    return float(squares.mean())
