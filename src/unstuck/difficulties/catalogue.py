"""The catalogue: every difficulty, one line each, with what it explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unstuck.difficulties import (
    bad_initialisation,
    converged,
    dead_units,
    detached_graph,
    double_softmax,
    exploding_gradient,
    flat_region,
    gradients_not_zeroed,
    low_precision,
    not_finite,
    parameters_not_trained,
    saddle,
    saturated_units,
    shape_broadcast,
    step_too_large,
    step_too_small,
    still_improving,
    targets_misaligned,
    unscaled_inputs,
    unshuffled_batches,
    unstable_gradient,
    vanishing_gradient,
    weight_decay_too_strong,
    wrong_gradient,
    wrong_loss,
    wrong_mode,
    wrong_output_activation,
)
from unstuck.difficulties.case import Case
from unstuck.difficulties.finding import Finding


@dataclass(frozen=True)
class Difficulty:
    """A difficulty of the catalogue.

    Attributes:
        name: Its name, fixed once released.
        group: ``step``, ``surface``, ``depth``, ``noise``, ``program`` or ``end``.
        find: Reads a case and returns a finding or None.
        explains: Difficulties that follow from this one: where both are found, they are its symptoms.
    """

    name: str
    group: str
    find: Callable[[Case], Finding | None]
    explains: tuple[str, ...] = ()


_SIGNS = ("step-too-small", "saddle", "flat-region", "step-too-large", "saturated-units", "dead-units")
_DEPTH = ("vanishing-gradient", "exploding-gradient", "unstable-gradient")
_ALL = (*_SIGNS, *_DEPTH, "bad-initialisation", "unscaled-inputs", "weight-decay-too-strong", "not-finite")

#: From the most exact to the most inferred: where two explain each other, the earlier one is the cause.
DIFFICULTIES: tuple[Difficulty, ...] = (
    Difficulty("shape-broadcast", "program", shape_broadcast.find, _ALL),
    Difficulty("double-softmax", "program", double_softmax.find, _ALL),
    Difficulty("wrong-output-activation", "program", wrong_output_activation.find, _ALL),
    Difficulty("wrong-loss", "program", wrong_loss.find, (*_ALL, "targets-misaligned", "low-precision")),
    Difficulty("detached-graph", "program", detached_graph.find, (*_ALL, "parameters-not-trained")),
    Difficulty("wrong-mode", "program", wrong_mode.find, _ALL),
    Difficulty("wrong-gradient", "program", wrong_gradient.find, _ALL),
    Difficulty("low-precision", "program", low_precision.find, _ALL),
    Difficulty(
        "gradients-not-zeroed",
        "program",
        gradients_not_zeroed.find,
        (*_SIGNS, *_DEPTH, "not-finite", "weight-decay-too-strong"),
    ),
    Difficulty(
        "parameters-not-trained",
        "program",
        parameters_not_trained.find,
        (*_SIGNS, *_DEPTH, "bad-initialisation", "weight-decay-too-strong", "unscaled-inputs"),
    ),
    Difficulty("unshuffled-batches", "noise", unshuffled_batches.find, _ALL),
    Difficulty("targets-misaligned", "program", targets_misaligned.find, _SIGNS),
    Difficulty(
        "unscaled-inputs", "depth", unscaled_inputs.find, (*_SIGNS, *_DEPTH, "not-finite", "weight-decay-too-strong")
    ),
    Difficulty("bad-initialisation", "depth", bad_initialisation.find, (*_SIGNS, *_DEPTH, "not-finite")),
    Difficulty("unstable-gradient", "depth", unstable_gradient.find, (*_SIGNS, "not-finite", "vanishing-gradient")),
    Difficulty("exploding-gradient", "depth", exploding_gradient.find, (*_SIGNS, "not-finite", "unstable-gradient")),
    Difficulty("saddle", "surface", saddle.find, ("vanishing-gradient", "flat-region")),
    Difficulty(
        "weight-decay-too-strong",
        "surface",
        weight_decay_too_strong.find,
        ("vanishing-gradient", "flat-region", "dead-units", "saddle", "step-too-small"),
    ),
    Difficulty(
        "step-too-large",
        "step",
        step_too_large.find,
        ("dead-units", "saturated-units", "not-finite", "flat-region", "step-too-small", *_DEPTH, "saddle"),
    ),
    Difficulty(
        "saturated-units",
        "depth",
        saturated_units.find,
        ("vanishing-gradient", "flat-region", "step-too-small", "saddle"),
    ),
    Difficulty(
        "dead-units", "depth", dead_units.find, ("vanishing-gradient", "flat-region", "step-too-small", "saddle")
    ),
    Difficulty("vanishing-gradient", "depth", vanishing_gradient.find, ("step-too-small", "flat-region")),
    Difficulty("flat-region", "surface", flat_region.find, ("step-too-small",)),
    Difficulty("step-too-small", "step", step_too_small.find, ()),
    Difficulty("not-finite", "program", not_finite.find, ()),
    Difficulty("converged", "end", converged.find),
    Difficulty("still-improving", "end", still_improving.find),
)
