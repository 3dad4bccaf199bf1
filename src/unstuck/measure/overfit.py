"""Whether the network can learn one batch by heart: tells a program that cannot learn from one that learns slowly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from unstuck.measure import baseline
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation
from unstuck.measure.floor import floor_of
from unstuck.measure.gradient import gradient

#: Learning rates that are tried beside each other; weights that must grow large (raw targets) need the last two.
_RATES = (1e-3, 1e-2, 3e-4, 1e-1, 1.0)
_SECONDS, _STEPS, _CHUNK = 5.0, 3000, 20
#: Share of what a constant prediction leaves that must be gained.
_FITTED = 0.9
#: A rate that gains less than a share in so many chunks gives way to another for a while.
_STALL, _PATIENCE = 0.02, 4
#: Above so many weights only the first rate is tried: each needs three copies of them.
_LARGE = 10_000_000


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Train copies of the weights on this one batch with Adam, and return how far the loss falls.

    The loss is that of the step, computed again with the step's own dropout masks. Several learning rates run beside
    each other in chunks of 20 steps; the one that is ahead goes on. What counts is the share ``gained`` of the way from
    the best constant prediction's loss to the lowest value that the loss can take: 0 for a cross-entropy with hard
    labels, more with label smoothing or soft targets.

    Costs up to 5 seconds; less where the batch is fitted before.

    Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 11.5 ("Fit a tiny dataset").

    Args:
        evaluation: The step under measurement.

    Returns:
        ``start``, ``end`` (the lowest loss seen), ``constant``, ``lowest`` (what the loss can be at best), ``steps``
        (of all rates), ``rate`` (of the best), ``gained``, ``fitted``, ``still_falling`` (when the time ran out),
        ``known`` (whether the loss function is one with a known lowest value), ``other_terms`` (whether other terms
        are added to it), ``examples``, ``elements`` (number of weights).

    Raises:
        NotMeasurable: The loss has no known scale, is not finite, or a weight is complex.
    """
    step = evaluation.step
    if any(param.is_complex() for param in step.params):
        raise NotMeasurable("weights are complex numbers")
    if not math.isfinite(evaluation.loss):
        raise NotMeasurable("the loss is not finite")
    base = baseline.measure(evaluation)
    constant, start = float(base["constant"]), evaluation.loss
    lowest = floor_of(evaluation, base)
    if not (math.isfinite(constant) and math.isfinite(lowest)):
        raise NotMeasurable("the loss of a constant prediction is not finite")
    known = base["loss_kind"] != "other"
    if not known and min(lowest, start) < 0:
        raise NotMeasurable("the loss takes negative values, so no value of it means that the batch is fitted")
    if constant - lowest <= 1e-6 * max(abs(constant), abs(start)):
        raise NotMeasurable("a constant prediction is the best one for this batch")
    elements = sum(param.numel() for param in step.params)
    race = _Race(evaluation, lowest, lowest + (1 - _FITTED) * (constant - lowest))
    race.run(_RATES if elements <= _LARGE else _RATES[:1])
    gained = (constant - race.best) / (constant - lowest)
    return {
        "start": start,
        "end": race.best,
        "constant": constant,
        "lowest": lowest,
        "steps": race.steps,
        "rate": race.rate,
        "gained": gained,
        "fitted": gained >= _FITTED,
        "still_falling": race.still_falling,
        "known": known,
        "other_terms": abs(start - float(base["part"])) > 1e-3 * max(abs(start), 1e-12),
        "examples": base["examples"],
        "elements": elements,
    }


class _Race:
    """Learning rates that train copies of the weights beside each other, until one reaches the goal."""

    def __init__(self, evaluation: Evaluation, lowest: float, goal: float) -> None:
        self._evaluation = evaluation
        self._lowest = lowest
        self._goal = goal
        self.best = evaluation.loss
        self.rate: float | None = None
        self.steps = 0
        self.still_falling = False
        self._until = perf_counter() + _SECONDS

    def run(self, rates: Sequence[float]) -> None:
        arms = [_Arm(self._evaluation, rate) for rate in rates]
        for arm in arms:
            self._chunk(arm)
        while not self._over:
            arm = min(arms, key=lambda a: (a.broken, a.stalled // _PATIENCE, a.best))
            if arm.broken:
                return
            self._chunk(arm)
        winner = min(arms, key=lambda a: a.best)
        self.still_falling = winner.stalled == 0 and self.best > self._goal

    @property
    def _over(self) -> bool:
        return self.best <= self._goal or self.steps >= _STEPS or perf_counter() >= self._until

    def _chunk(self, arm: _Arm) -> None:
        before = arm.best
        for _ in range(_CHUNK):
            if self._over or arm.broken:
                break
            self.steps += 1
            arm.step()
            if arm.best < self.best:
                self.best, self.rate = arm.best, arm.rate
        arm.stalled = 0 if arm.best < before - _STALL * (before - self._lowest) else arm.stalled + 1


class _Arm:
    """One copy of the weights under Adam (Kingma and Ba 2015), written out.

    Torch's own optimizers are not used here: their steps would run the hooks that watch the program's.
    """

    def __init__(self, evaluation: Evaluation, rate: float) -> None:
        self._step = evaluation.step
        self.rate = rate
        self.best = math.inf
        self.stalled = 0
        self.broken = False
        self._count = 0
        # In 32 bits at least: a step would vanish beside a weight of 16.
        self._weights = [p.detach().to(_wide(p)).clone() for p in self._step.params]
        self._first = [torch.zeros_like(w) for w in self._weights]
        self._second = [torch.zeros_like(w) for w in self._weights]

    def step(self) -> None:
        with torch.inference_mode(False), torch.enable_grad():
            pairs = zip(self._weights, self._step.params, strict=True)
            at = [weight.to(param.dtype).detach().requires_grad_() for weight, param in pairs]
            loss = self._step.loss(at)
            grads = gradient(loss, at)
        value = float(loss.detach())
        if not math.isfinite(value):
            self.broken = True
            return
        self.best = min(self.best, value)
        self._count += 1
        root = math.sqrt(1 - 0.999**self._count)
        rate = self.rate * root / (1 - 0.9**self._count)
        for weight, first, second, grad in zip(self._weights, self._first, self._second, grads, strict=True):
            wide = grad.to(weight.dtype)
            first.mul_(0.9).add_(wide, alpha=0.1)
            second.mul_(0.999).addcmul_(wide, wide, value=0.001)
            weight.addcdiv_(first, second.sqrt().add_(1e-8 * root), value=-rate)


def _wide(param: Tensor) -> torch.dtype:
    return torch.float64 if param.dtype == torch.float64 else torch.float32
