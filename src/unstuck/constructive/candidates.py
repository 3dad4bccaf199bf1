"""The candidate phase: a pool of units, each trained to follow what error is left; the best becomes a hidden unit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.constructive.outputs import Cases
from unstuck.constructive.patience import Lanes, Patience
from unstuck.constructive.quickprop import Quickprop
from unstuck.constructive.settings import Settings


@dataclass
class Chosen:
    """The best candidate of each of ``t`` trials.

    Attributes:
        weights: Its weights ``[t, units]``.
        covariances: Its covariance with the residual of each output, over the sum of their squares, ``[t, outputs]``.
        scores: Sum of their sizes.
        epochs: Epochs that were needed, with the first that only measures.
    """

    weights: Tensor
    covariances: Tensor
    scores: list[float]
    epochs: list[int]


def centred(residuals: Tensor, cases: Cases) -> Tensor:
    """Return residuals from which the score of a candidate is one product: centred, and over the sum of squares.

    A unit ``v`` has the covariance ``sum (v - mean v)(e - mean e) = sum v (e - mean e)`` with a residual ``e``. The
    paper takes the mean by output, as here; the program over all outputs, which is the same for one.

    Args:
        residuals: ``[t, outputs, n]``.
        cases: The weights of the cases.
    """
    weights = cases.weights
    if weights is None:
        moved = residuals - residuals.mean(2, keepdim=True)
    else:
        moved = weights * (residuals - (weights * residuals).sum(2, keepdim=True) / cases.total)
    squares = (residuals**2 if weights is None else weights * residuals**2).sum((1, 2), keepdim=True)
    return moved / squares.clamp_min(torch.finfo(residuals.dtype).tiny)


class _Pass:
    """One pass of all cases through the pools of a batch of trials, with room for its arithmetic."""

    def __init__(self, values: Tensor, residuals: Tensor, quickprop: Quickprop) -> None:
        self.values, self.residuals, self.quickprop = values, residuals, quickprop
        self.turned, self.residuals_turned = values.transpose(1, 2), residuals.transpose(1, 2)
        trials, pool = quickprop.weights.shape[:2]
        self.out, self.push = (values.new_empty(trials, pool, values.shape[2]) for _ in range(2))
        self.covariances, self.signs, self.sizes = (
            values.new_empty(trials, pool, residuals.shape[1]) for _ in range(3)
        )
        self.scores, self.best = values.new_empty(trials, pool), values.new_empty(trials)
        self.one = values.new_ones(())

    def measure(self) -> list[float]:
        """Compute values, covariances and scores; return the best score by trial."""
        torch.bmm(self.quickprop.weights, self.values, out=self.out)
        self.out.sigmoid_()  # of which the paper takes 1/2: that cancels in covariances with what is centred
        torch.bmm(self.out, self.residuals_turned, out=self.covariances)
        torch.abs(self.covariances, out=self.sizes)
        torch.sum(self.sizes, 2, out=self.scores)
        torch.amax(self.scores, 1, out=self.best)
        best: list[float] = self.best.tolist()
        return best

    def slope(self) -> None:
        """Compute slopes of minus the score from the values of this epoch and the signs of the last."""
        self.out.addcmul_(self.out, self.out, value=-1)
        torch.bmm(self.signs, self.residuals, out=self.push)
        torch.bmm(self.out.mul_(self.push), self.turned, out=self.quickprop.slopes)

    def note_signs(self) -> None:
        """Keep the signs of the covariances for the next epoch, turned round: slopes lead downhill."""
        torch.copysign(self.one, self.covariances, out=self.signs).neg_()

    def kept(self, places: list[int]) -> _Pass:
        rows = torch.tensor(places, device=self.values.device)
        new = _Pass(self.values.index_select(0, rows), self.residuals.index_select(0, rows), self.quickprop.kept(rows))
        new.signs.copy_(self.signs.index_select(0, rows))
        return new


def train_candidates(values: Tensor, residuals: Tensor, first: Tensor, cases: Cases, settings: Settings) -> Chosen:
    """Train the pools of all trials until their best scores stay as they are.

    Args:
        values: Values of bias, inputs and hidden units, ``[t, units, n]``.
        residuals: As ``centred`` returns them, ``[t, outputs, n]``.
        first: First weights, ``[t, pool, units]``.
        cases: The cases.
        settings: How.
    """
    trials, _, units = first.shape
    chosen = Chosen(
        values.new_zeros(trials, units), values.new_zeros(trials, residuals.shape[1]), [0.0] * trials, [1] * trials
    )
    lanes = Lanes(
        trials,
        [Patience(settings.candidate_patience, settings.candidate_change, from_start=False) for _ in range(trials)],
    )
    rate = settings.candidate_rate / (cases.total * units)
    now = _Pass(values, residuals, Quickprop(first.clone(), settings.mu))
    now.measure()
    now.note_signs()
    for epoch in range(1, settings.candidate_epochs + 1):
        scores = now.measure()
        now.slope()
        now.quickprop.update(rate, settings.candidate_decay)
        for place, trial in lanes.active():
            if lanes.patience[trial].is_over(epoch, scores[place]) or epoch == settings.candidate_epochs:
                best = int(now.scores[place].argmax())
                chosen.weights[trial] = now.quickprop.weights[place, best]
                chosen.covariances[trial] = now.covariances[place, best]
                chosen.scores[trial], chosen.epochs[trial] = scores[place], epoch + 1
                lanes.end(place)
        if not lanes.left:
            break
        now.note_signs()
        kept = lanes.pack()
        if kept is not None:
            now = now.kept(kept)
    return chosen
