"""Autoencoders under plain descent, classical and Nesterov's momentum, all trained at the same time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from unstuck.lab.data import Images
from unstuck.lab.depth_signal import glorot
from unstuck.lab.experiment import Setting
from unstuck.lab.networks import Networks, batches
from unstuck.lab.plots import Floats

#: Hidden layers; the one in the middle is the code, which is linear.
HIDDEN = (100, 50, 20, 50, 100)
_CODE = 2
RATES = (0.01, 0.03, 0.1, 0.3)
_INPUTS_PER_UNIT = 15
_LOOKS = 50


@dataclass(frozen=True)
class Method:
    """A rule of descent.

    Attributes:
        most: ``mu_max``; 0 for plain descent.
        nesterov: Whether the gradient is taken where the momentum leads.
        dense: Whether the first weights are Glorot's instead of sparse ones.
    """

    most: float
    nesterov: bool = False
    dense: bool = False


METHODS = {
    "plain descent": Method(0.0),
    "classical, 0.9": Method(0.9),
    "classical, 0.99": Method(0.99),
    "Nesterov, 0.9": Method(0.9, nesterov=True),
    "Nesterov, 0.99": Method(0.99, nesterov=True),
    "Nesterov, 0.99, dense start": Method(0.99, nesterov=True, dense=True),
}


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Attributes:
        steps: Steps of descent.
        images: Training images.
        batch: Images of a step.
    """

    steps: int
    images: int
    batch: int = 100

    @property
    def period(self) -> int:
        """Steps after which the momentum grows."""
        return self.steps // 20


@dataclass(frozen=True)
class Course:
    """How the error of one run fell.

    Attributes:
        rate: Its learning rate.
        steps: Steps at which it was looked at, ``[looks]``.
        errors: Squared errors per image there, ``[looks]``; infinite from where it diverged.
    """

    rate: float
    steps: Floats
    errors: Floats

    @property
    def last(self) -> float:
        """The error at the end."""
        return float(self.errors[-1])

    def at(self, share: float) -> float:
        """Return the error after a share of the run."""
        return float(self.errors[round(share * (len(self.errors) - 1))])


def schedule(step: int, most: float, period: int) -> float:
    """Return ``mu_t = min(1 - 2^(-1 - log2(floor(t / period) + 1)), most)`` (Sutskever et al. 2013, equation 5).

    Args:
        step: ``t``, from 0.
        most: ``mu_max``.
        period: 250 as published.
    """
    return min(1 - 2 ** (-1 - math.log2(step // period + 1)), most)


def sparse(inputs: int, units: int, generator: torch.Generator) -> Tensor:
    """Return weights ``[inputs, units]``: each unit has 15 inputs from N(0, 1), the others are 0 (Martens 2010).

    Args:
        inputs: Inputs of each unit; where there are fewer than 15, all are used.
        units: Number of units.
        generator: Draws them.
    """
    chosen = torch.rand(inputs, units, generator=generator).argsort(0)[:_INPUTS_PER_UNIT]
    return torch.zeros(inputs, units).scatter(0, chosen, torch.randn(chosen.shape, generator=generator))


def descend(networks: Networks, inputs: Tensor, velocity: Tensor, mu: Tensor, ahead: Tensor, rates: Tensor) -> Tensor:
    """Take one step with each network, and return the new velocities ``[networks, parameters]``.

    Args:
        networks: The autoencoders; their parameters change.
        inputs: ``[images, pixels]``.
        velocity: ``v``, as returned by the step before; 0 at first.
        mu: Momentum of each, ``[networks, 1]``.
        ahead: 1 for Nesterov's, whose gradient is taken at ``theta + mu v``; 0 for classical.
        rates: Learning rates, ``[networks, 1]``.

    Returns:
        ``mu v - rate grad``, by which the parameters have moved.
    """
    carried = mu * velocity
    networks.theta += ahead * carried
    _, gradient = networks.gradient(inputs, lambda outputs: _cross_entropy(outputs, inputs))
    moved = carried - rates * gradient
    networks.theta += moved - ahead * carried
    return moved


def course(setting: Setting, size: Size, images: Images) -> dict[str, list[Course]]:
    """Train every method at every rate, and return how the errors fell, by method.

    Args:
        setting: How.
        size: How much.
        images: What is learned.
    """
    inputs = images.inputs.to(setting.device)
    runs = [(name, rate) for name in METHODS for rate in RATES]
    networks = _draw([METHODS[name] for name, _ in runs], inputs.shape[1], setting)
    most = torch.tensor([[METHODS[name].most] for name, _ in runs], device=setting.device)
    ahead = torch.tensor([[float(METHODS[name].nesterov)] for name, _ in runs], device=setting.device)
    rates = torch.tensor([[rate] for _, rate in runs], device=setting.device)
    velocity = torch.zeros_like(networks.theta)
    generator, every = torch.Generator().manual_seed(setting.seed), max(1, size.steps // _LOOKS)
    steps, errors, step = [0], [_errors(networks, inputs[:1000])], 0
    while step < size.steps:
        for batch in batches(len(inputs), size.batch, generator)[: size.steps - step]:
            mu = most.clamp(max=schedule(step, 1.0, size.period))
            velocity = descend(networks, inputs[batch], velocity, mu, ahead, rates)
            step += 1
            if step % every == 0:
                steps.append(step)
                errors.append(_errors(networks, inputs[:1000]))
                if len(steps) % 10 == 1:
                    setting.say(f"step {step} of {size.steps}, lowest error {errors[-1].min():.2f}")
    falls = np.stack(errors, 1)
    every_run = [
        Course(rate, np.array(steps, dtype=np.float64), fall) for (_, rate), fall in zip(runs, falls, strict=True)
    ]
    return {name: [run for (other, _), run in zip(runs, every_run, strict=True) if other == name] for name in METHODS}


def _draw(methods: list[Method], pixels: int, setting: Setting) -> Networks:
    """Return autoencoders; those with the same kind of start have the same first weights."""
    sizes = [pixels, *HIDDEN, pixels]
    networks = Networks(sizes, [torch.sigmoid] * len(methods), {_CODE}, setting.device)
    generator = torch.Generator().manual_seed(setting.seed)
    for weight, _ in networks.layers:
        inputs, units = weight.shape[1:]
        thin, thick = sparse(inputs, units, generator), glorot(inputs, units, generator)
        for number, method in enumerate(methods):
            weight[number] = (thick if method.dense else thin).to(setting.device)
    return networks


def _cross_entropy(outputs: Tensor, images: Tensor) -> Tensor:
    """Return the cross-entropy of the pixels, summed over an image and averaged over the images, ``[networks]``."""
    wanted = images.expand_as(outputs)
    return functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="none").sum(2).mean(1)


def _errors(networks: Networks, images: Tensor) -> Floats:
    """Return the squared error per image, ``[networks]``."""
    squares = (torch.sigmoid(networks.run(images)[-1]) - images).square().sum(2).mean(1)
    return squares.nan_to_num(math.inf, math.inf).double().cpu().numpy()
