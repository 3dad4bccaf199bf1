"""Full-batch training with its sharpness measured on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.plots import Floats
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.lanczos import Lanczos, random_direction

COHEN = "Cohen et al. 2021, Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability"
COHEN_ADAM = "Cohen et al. 2022, Adaptive Gradient Methods at the Edge of Stability"
_TOLERANCE = 1e-3
_FEWEST, _MOST = 4, 30


@dataclass(frozen=True)
class Trainer:
    """An optimizer with its limit of stability.

    Attributes:
        label: Its name.
        make: Makes the optimizer of a list of parameters.
        limit: Sharpness above which it is not stable on a quadratic; of the preconditioned Hessian for Adam.
        words: The limit as a formula.
        source: Where the limit stands.
    """

    label: str
    make: Callable[[list[Tensor]], torch.optim.Optimizer]
    limit: float
    words: str
    source: str


def optimizers(rates: Sequence[float], adam: float) -> tuple[Trainer, ...]:
    """Return gradient descent with each rate, Nesterov's method, Adam, and heavy ball.

    Args:
        rates: Learning rates of gradient descent.
        adam: Learning rate of Adam.
    """
    sgd, rate, b = torch.optim.SGD, 0.2, 0.9
    return (
        *(
            Trainer(f"gradient descent, rate {r:g}", lambda p, r=r: sgd(p, lr=r), 2 / r, "2 / rate", COHEN)  # type: ignore[misc]
            for r in rates
        ),
        Trainer(
            f"Nesterov, rate {rate:g}",
            lambda p: sgd(p, lr=rate, momentum=b, nesterov=True),
            2 * (1 + b) / ((1 + 2 * b) * rate),
            "2 (1 + momentum) / ((1 + 2 momentum) rate)",
            COHEN,
        ),
        Trainer(
            f"Adam, rate {adam:g}",
            lambda p: torch.optim.Adam(p, lr=adam, betas=(0.9, 0.99), eps=1e-7, foreach=False),
            38 / adam,
            "38 / rate",
            COHEN_ADAM,
        ),
        Trainer(
            f"heavy ball, rate {rate:g}",
            lambda p: sgd(p, lr=rate, momentum=b),
            2 * (1 + b) / rate,
            "2 (1 + momentum) / rate",
            COHEN,
        ),
    )


@dataclass
class Trace:
    """What was measured along one training.

    Attributes:
        steps: Steps at which the sharpness was measured.
        sharpness: The sharpness there.
        losses: The loss at every step.
    """

    steps: list[int] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def tail(self, limit: float) -> Floats:
        """Return the last third of the sharpness over ``limit``."""
        return np.array(self.sharpness[-max(1, len(self.sharpness) // 3) :]) / limit


def train(
    trainer: Trainer, loss: Callable[[Tensor], Tensor], start: Tensor, steps: int, every: int, seed: int
) -> Trace:
    """Train, and measure the sharpness every so often.

    Args:
        trainer: The optimizer.
        loss: Loss of a flat vector of parameters.
        start: Where to start, ``[size]``; not changed.
        steps: How many steps.
        every: After how many the sharpness is measured.
        seed: Seed of the first direction.

    Raises:
        NotMeasurable: The parameters are not finite any more.
    """
    place = start.clone().requires_grad_()
    optimizer = trainer.make([place])
    generator = torch.Generator().manual_seed(seed)
    direction = random_direction(start, generator)
    trace = Trace()
    for step in range(steps + 1):
        value = loss(place)
        trace.losses.append(float(value.detach()))
        if step % every == 0 and step:
            try:
                sharpness, direction = measure(loss, place, _root(optimizer, place), direction, generator)
            except NotMeasurable:
                if not bool(place.detach().isfinite().all()):
                    raise
                direction = random_direction(start, generator)  # a point is left out; the next one starts anew
            else:
                trace.steps.append(step)
                trace.sharpness.append(sharpness)
        (place.grad,) = torch.autograd.grad(value, place)
        optimizer.step()
    return trace


def measure(
    loss: Callable[[Tensor], Tensor], place: Tensor, root: Tensor | None, start: Tensor, generator: torch.Generator
) -> tuple[float, Tensor]:
    """Return the largest eigenvalue of ``P^-1/2 H P^-1/2`` and its vector, by Lanczos' method.

    Args:
        loss: Loss of a flat vector of parameters.
        place: Where, ``[size]``.
        root: ``P^-1/2``, ``[size]``; None for the Hessian itself.
        start: Where the method starts: the vector found before.
        generator: Source of directions where it comes to an end early.
    """
    place = place.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(place), place, create_graph=True)

    def product(vector: Tensor) -> Tensor:
        along = vector.clone() if root is None else vector * root
        (image,) = torch.autograd.grad(gradient, place, along, retain_graph=True)
        return image if root is None else image * root

    lanczos = Lanczos(product, start, generator)
    while lanczos.products < _MOST and not lanczos.complete:
        lanczos.extend()
        high = lanczos.ends()[1]
        if lanczos.products >= _FEWEST and high.error <= _TOLERANCE * abs(high.value):
            break
    return lanczos.ends()[1].value, lanczos.vector(-1)


def _root(optimizer: torch.optim.Optimizer, place: Tensor) -> Tensor | None:
    """Return ``P^-1/2`` of Adam, ``P = (1 - b1^t) (sqrt(v / (1 - b2^t)) + eps)`` (Cohen et al. 2022, section 2)."""
    if not isinstance(optimizer, torch.optim.Adam):
        return None
    (group,) = optimizer.param_groups
    state = optimizer.state[place]
    done = float(state["step"])
    first, second = group["betas"]
    spread = (state["exp_avg_sq"] / (1 - second**done)).sqrt() + group["eps"]
    preconditioner: Tensor = (1 - first**done) * spread
    return preconditioner.rsqrt()
