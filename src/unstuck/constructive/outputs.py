"""The output phase of sigmoids: quickprop on the weights from all units, the hidden units being frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.constructive.patience import Lanes, Patience
from unstuck.constructive.quickprop import Quickprop
from unstuck.constructive.settings import Settings


@dataclass(frozen=True)
class Cases:
    """What the outputs have to say.

    Attributes:
        targets: ``[outputs, n]``; of a sigmoid from 0 to 1 (the paper's from -1/2 to 1/2, plus 1/2).
        weights: Weight of each case, ``[n]``, as if it were there so many times; None where all count once.
        linear: Whether outputs are linear, and not sigmoids.
        total: Sum of the weights: the number of cases.
    """

    targets: Tensor
    weights: Tensor | None
    linear: bool
    total: float


@dataclass
class Trained:
    """The end of an output phase, for each of ``t`` trials.

    Attributes:
        quickprop: The weights ``[t, outputs, units]``.
        residuals: Slopes of the error by the outputs' weighted inputs, of the last epoch, ``[t, outputs, n]``.
        errors: Sum of squared errors.
        right: Whether all outputs are right for all cases.
        epochs: Epochs that were needed; one in which all was right, and nothing changed, is not counted.
    """

    quickprop: Quickprop
    residuals: Tensor
    errors: list[float]
    right: list[bool]
    epochs: list[int]


class _Pass:
    """One pass of all cases through a batch of trials, with room for its arithmetic."""

    def __init__(self, values: Tensor, cases: Cases, quickprop: Quickprop, settings: Settings) -> None:
        self.values, self.cases, self.quickprop, self.settings = values, cases, quickprop, settings
        self.turned = values.transpose(1, 2)
        trials, outputs, n = values.shape[0], cases.targets.shape[0], values.shape[2]
        self.out, self.residuals, self.squares = (values.new_empty(trials, outputs, n) for _ in range(3))
        self.flat = self.squares.view(trials, -1)
        self.stats = values.new_empty(2, trials)
        self.rate = settings.output_rate / cases.total

    def measure(self) -> list[list[float]]:
        """Compute outputs, residuals and slopes; return the largest squared error of a case, and the sum, by trial."""
        out, e, squares, cases = self.out, self.residuals, self.squares, self.cases
        torch.bmm(self.quickprop.weights, self.values, out=out)
        out.sigmoid_()
        torch.sub(out, cases.targets, out=e)
        torch.mul(e, e, out=squares)
        torch.amax(self.flat, 1, out=self.stats[0])
        if cases.weights is not None:
            squares.mul_(cases.weights)
        torch.sum(self.flat, 1, out=self.stats[1])
        out.addcmul_(out, out, value=-1).add_(self.settings.offset)
        e.mul_(out)
        weighted = e if cases.weights is None else torch.mul(e, cases.weights, out=squares)
        torch.bmm(weighted, self.turned, out=self.quickprop.slopes)
        measured: list[list[float]] = self.stats.tolist()
        return measured

    def kept(self, places: list[int]) -> _Pass:
        rows = torch.tensor(places, device=self.values.device)
        new = _Pass(self.values.index_select(0, rows), self.cases, self.quickprop.kept(rows), self.settings)
        new.residuals.copy_(self.residuals.index_select(0, rows))
        return new


def train_outputs(values: Tensor, cases: Cases, quickprop: Quickprop, settings: Settings) -> Trained:
    """Train the outputs of all trials until they are right, or their errors stay as they are.

    A trial whose error is no longer finite has the error NaN, and keeps the weights that it began with.

    Args:
        values: Values of bias, inputs and hidden units, ``[t, units, n]``.
        cases: Targets.
        quickprop: The weights to begin with, and their last steps and slopes; not changed.
        settings: How.
    """
    trials = values.shape[0]
    trained = Trained(
        quickprop.kept(torch.arange(trials, device=values.device)),
        values.new_zeros(trials, cases.targets.shape[0], values.shape[2]),
        [math.nan] * trials,
        [False] * trials,
        [0] * trials,
    )
    lanes = Lanes(
        trials, [Patience(settings.output_patience, settings.output_change, from_start=True) for _ in range(trials)]
    )
    now = _Pass(values, cases, trained.quickprop.kept(torch.arange(trials, device=values.device)), settings)
    enough = settings.threshold**2
    for epoch in range(1, settings.output_epochs + 1):
        worst, errors = now.measure()
        ended = []
        for place, trial in lanes.active():
            error = errors[place]
            if worst[place] < enough:  # nothing is changed, and nothing counted
                trained.right[trial] = True
                _store(trained, trial, now, place, error)
                lanes.end(place)
                continue
            if not math.isfinite(error):
                lanes.end(place)
                continue
            trained.epochs[trial] = epoch
            if lanes.patience[trial].is_over(epoch, error) or epoch == settings.output_epochs:
                ended.append((place, trial))
        if not lanes.left:
            break
        now.quickprop.update(now.rate, settings.output_decay)
        for place, trial in ended:
            _store(trained, trial, now, place, errors[place])
            lanes.end(place)
        if not lanes.left:
            break
        kept = lanes.pack()
        if kept is not None:
            now = now.kept(kept)
    return trained


def _store(trained: Trained, trial: int, now: _Pass, place: int, error: float) -> None:
    trained.quickprop.put(trial, now.quickprop, place)
    trained.residuals[trial] = now.residuals[place]
    trained.errors[trial] = error
