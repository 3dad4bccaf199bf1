"""Networks of saturating units that learn digits, with what their layers do after each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from unstuck.lab.data import Images
from unstuck.lab.experiment import Setting
from unstuck.lab.networks import Function, Networks, batches, cross_entropy
from unstuck.lab.plots import Floats

#: Activation of each kind; N stands for normalised first weights.
KINDS: dict[str, Function] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "tanh N": torch.tanh,
    "softsign": functional.softsign,
    "softsign N": functional.softsign,
}
#: Rate of each activation: a sigmoid is a quarter as steep as the others.
RATES = {"sigmoid": 0.5, "tanh": 0.05, "softsign": 0.05}
_BATCH, _WATCHED = 10, 300
_NEAR = 0.95


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Attributes:
        images: Training images.
        width: Units of the hidden layers that learn.
        epochs: Epochs of the networks of every kind.
        sigmoid_epochs: Epochs of the network of sigmoids.
        wide: Units of the hidden layers that are measured at the start.
        points: Images at which Jacobians are taken.
    """

    images: int
    width: int
    epochs: int
    sigmoid_epochs: int
    wide: int
    points: int


FULL, QUICK = Size(20_000, 100, 12, 20, 600, 3), Size(2_000, 60, 6, 12, 250, 2)


@dataclass(frozen=True)
class Course:
    """What the hidden layers of one network did.

    Attributes:
        kind: Its kind.
        mean: Mean activation before the first epoch and after each, ``[epochs + 1, layers]``.
        spread: Its standard deviation over units and images.
        flat: Share of activations that are saturated.
        error: Share of the test images that it gets wrong at the end.
    """

    kind: str
    mean: Floats
    spread: Floats
    flat: Floats
    error: float


def draw(kinds: Sequence[str], sizes: Sequence[int], setting: Setting) -> Networks:
    """Return networks with their first weights; biases are 0.

    Args:
        kinds: Kind of each network.
        sizes: Units of each layer, the inputs first.
        setting: Its seed is that of each network: kinds differ in the scale of their weights only.
    """
    networks = Networks(sizes, [KINDS[kind] for kind in kinds], device=setting.device)
    generator = torch.Generator().manual_seed(setting.seed)
    for weight, _ in networks.layers:
        inputs, units = weight.shape[1:]
        uniform = (2 * torch.rand(inputs, units, generator=generator) - 1).to(setting.device)
        for number, kind in enumerate(kinds):
            weight[number] = uniform * (math.sqrt(6 / (inputs + units)) if kind.endswith(" N") else inputs**-0.5)
    return networks


def train(kinds: Sequence[str], depth: int, epochs: int, setting: Setting, size: Size, images: Images) -> list[Course]:
    """Train networks of some kinds at the same time, all on the same batches.

    Args:
        kinds: Kind of each network.
        depth: Number of hidden layers.
        epochs: How long.
        setting: How.
        size: How wide.
        images: What is learned.
    """
    inputs, labels = images.inputs.to(setting.device), images.labels.to(setting.device)
    watched = images.test_inputs[:_WATCHED].to(setting.device)
    networks = draw(kinds, [inputs.shape[1], *[size.width] * depth, 10], setting)
    rates = torch.tensor([RATES[kind.removesuffix(" N")] for kind in kinds], device=setting.device)[:, None]
    generator = torch.Generator().manual_seed(setting.seed)
    looks = [_look(kinds, networks, watched)]
    for epoch in range(1, epochs + 1):
        setting.say(f"{depth} hidden layers, epoch {epoch} of {epochs}")
        for batch in batches(len(inputs), _BATCH, generator):
            _, gradient = networks.gradient(inputs[batch], cross_entropy(labels[batch]))
            networks.theta -= rates * gradient
        looks.append(_look(kinds, networks, watched))
    errors = _errors(networks, images, setting)
    means, spreads, flats = (np.stack(values, 1) for values in zip(*looks, strict=True))
    return [Course(kind, means[n], spreads[n], flats[n], errors[n]) for n, kind in enumerate(kinds)]


def first_gradients(kind: str, depth: int, setting: Setting, size: Size, images: Images) -> Floats:
    """Return the standard deviation of the gradient by the weighted sums of each hidden layer, before any step.

    Args:
        kind: Kind of the network.
        depth: Number of hidden layers.
        setting: How.
        size: How wide.
        images: Inputs; the first 300 are used.

    Returns:
        Of the loss of one image, ``[layers]``.
    """
    networks, inputs = _at_the_start(kind, depth, setting, size, images)
    _, slopes = networks.signals(inputs, cross_entropy(images.labels[:_WATCHED].to(setting.device)))
    # The loss is a mean over the images: times their number, the gradient is that of one image.
    return np.array([len(inputs) * float(one.double().std()) for one in slopes[:-1]])


def mean_singular_value(kind: str, depth: int, setting: Setting, size: Size, images: Images) -> float:
    """Return the mean singular value of the Jacobian ``da'/da`` from one hidden layer of tanh to the next.

    Args:
        kind: ``tanh`` or ``tanh N``.
        depth: Number of hidden layers.
        setting: How.
        size: How wide, and at how many images.
        images: Inputs.

    Returns:
        The mean over singular values, layers and images.
    """
    networks, inputs = _at_the_start(kind, depth, setting, size, images)
    values = []
    for (weight, _), sums in zip(networks.layers[1:-1], networks.run(inputs[: size.points])[1:-1], strict=True):
        slopes = 1 - torch.tanh(sums[0]) ** 2
        values.append(torch.linalg.svdvals(weight[0] * slopes[:, None, :]).mean())
    return float(torch.stack(values).mean())


def _at_the_start(kind: str, depth: int, setting: Setting, size: Size, images: Images) -> tuple[Networks, Tensor]:
    networks = draw((kind,), [images.inputs.shape[1], *[size.wide] * depth, 10], setting)
    return networks, images.inputs[:_WATCHED].to(setting.device)


def saturated(kind: str, activations: Tensor) -> Tensor:
    """Return where activations lie in the flat part of their function.

    Args:
        kind: Kind of the network.
        activations: Any shape.
    """
    if kind == "sigmoid":
        return (activations < 1 - _NEAR) | (activations > _NEAR)
    return activations.abs() > _NEAR


def _look(kinds: Sequence[str], networks: Networks, watched: Tensor) -> tuple[Floats, Floats, Floats]:
    """Return mean, standard deviation and saturated share of the activations, each ``[networks, layers]``."""
    layers = [networks.activate(sums) for sums in networks.run(watched)[:-1]]
    means = torch.stack([one.mean((1, 2)) for one in layers], 1)
    spreads = torch.stack([one.std((1, 2)) for one in layers], 1)
    flats = [[float(saturated(kind, one[n]).float().mean()) for one in layers] for n, kind in enumerate(kinds)]
    return means.double().cpu().numpy(), spreads.double().cpu().numpy(), np.array(flats)


def _errors(networks: Networks, images: Images, setting: Setting) -> list[float]:
    wrong = torch.zeros(len(networks.theta))
    for inputs, labels in zip(images.test_inputs.split(1000), images.test_labels.split(1000), strict=True):
        guesses = networks.run(inputs.to(setting.device))[-1].argmax(2).cpu()
        wrong += (guesses != labels).float().sum(1)
    return (wrong / len(images.test_inputs)).tolist()
