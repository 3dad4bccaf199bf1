"""One step under measurement: the step with what its measurements share, each computed once and only when asked for."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.flat import Layout
from unstuck.measure.gradient import leaves
from unstuck.measure.hessian import Hessian
from unstuck.measure.lanczos import random_direction
from unstuck.measure.signals import Signal, signals
from unstuck.measure.step import Step, Trace

_NOISE = 0.1  # share of a random direction in a start vector, for directions that a symmetric network's gradient misses
_WARM = 0.1  # share of the gradient beside an earlier eigenvector


class Evaluation:
    """One step under measurement.

    The objective is the loss plus coupled weight decay, ``sum_i decay_i w_i^2 / 2``: what the optimizer goes down.
    Decoupled decay (AdamW) is no part of it.

    Attributes:
        step: The step.
        warm: Eigenvector that an earlier evaluation left in ``leading``, or None.
        earlier: Direction of the lowest curvature that an earlier evaluation left in ``lowest``, or None.
        lowest: That direction for this step, once the spectrum's ends were measured.
        leading: Eigenvector of the largest eigenvalue, once the sharpness was measured: the next evaluation's ``warm``.
    """

    def __init__(self, step: Step, warm: Tensor | None = None, earlier: Tensor | None = None) -> None:
        self.step = step
        self.warm = warm
        self.earlier = earlier
        self.leading: Tensor | None = None
        self.lowest: Tensor | None = None

    @cached_property
    def layout(self) -> Layout:
        """How the parameters lie in flat vectors."""
        return Layout.of(self.step.params)

    @cached_property
    def place(self) -> Tensor:
        """The parameters before the update, flat."""
        return self.layout.join(self.step.params)

    @cached_property
    def decay(self) -> Tensor | None:
        """Coupled weight decay of each element, flat; None where there is none."""
        rule = self.step.rule
        return None if rule.decoupled or not any(rule.weight_decay) else self.layout.fill(rule.weight_decay)

    @property
    def hessian(self) -> Hessian:
        """The Hessian of the loss, decay not included.

        Raises:
            NotMeasurable: The loss or its gradient is not finite.
        """
        if not self._finite:
            raise NotMeasurable("the loss or its gradient is not finite")
        return self._hessian

    @property
    def loss(self) -> float:
        """The loss at the parameters before the update, decay not included; may be non-finite."""
        return self._hessian.loss

    @cached_property
    def gradient(self) -> Tensor:
        """Gradient of the objective, flat."""
        gradient = self.hessian.gradient
        return gradient if self.decay is None else torch.addcmul(gradient, self.decay, self.place)

    def product(self, vector: Tensor) -> Tensor:
        """Return the objective's Hessian times ``vector``, a new flat vector."""
        product = self.hessian.product(vector)
        return product if self.decay is None else product.addcmul_(self.decay, vector)

    @cached_property
    def generator(self) -> torch.Generator:
        """Source of start vectors, apart from the program's own; the same for every run at the same step."""
        return torch.Generator(device="cpu").manual_seed(self.step.optimizer_step)

    def start(self, root: Tensor | None = None, warm: Tensor | None = None) -> Tensor:
        """Return a vector to start Lanczos' method at: the gradient, a little noise, and ``warm`` if there is one.

        Args:
            root: Root of a diagonal scaling, whose coordinates the vector is wanted in.
            warm: Earlier eigenvector in those coordinates; one of another size is not used.

        Returns:
            A flat vector, not zero.
        """
        start = self.gradient if root is None else self.gradient * root
        length = start.norm()
        noise = random_direction(start, self.generator)
        start = noise if length == 0 else torch.add(start / length, noise, alpha=_NOISE)
        if warm is None or warm.shape != start.shape:
            return start
        return torch.add(warm.to(start), start, alpha=_WARM)

    @cached_property
    def trace(self) -> Trace:
        """The loss and the layers' tensors in one evaluation; the graph is kept as long as this object."""
        return self._traced[0]

    @cached_property
    def signals(self) -> list[Signal]:
        """The backward signal at every layer of :attr:`trace`."""
        trace, at = self._traced
        return signals(trace, at)

    @cached_property
    def _traced(self) -> tuple[Trace, list[Tensor]]:
        with torch.inference_mode(False), torch.enable_grad():
            at = leaves(self.step.params)
            return self.step.trace(at), at

    @cached_property
    def _hessian(self) -> Hessian:
        return Hessian(self.step)

    @cached_property
    def _finite(self) -> bool:
        hessian = self._hessian
        return hessian.loss - hessian.loss == 0 and bool(hessian.gradient.isfinite().all())
