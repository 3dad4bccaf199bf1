"""One picture per difficulty, each computed from the mathematics that it shows: nothing in them is drawn by hand."""

from __future__ import annotations

from collections.abc import Callable

from unstuck.explain.figure import Figure
from unstuck.explain.pictures import depth, program, step, surface, task

#: The pictures by difficulty.
PICTURES: dict[str, Callable[[], Figure]] = {
    "bad-initialisation": depth.bad_initialisation,
    "converged": step.converged,
    "dead-units": depth.dead_units,
    "detached-graph": program.detached_graph,
    "double-softmax": task.double_softmax,
    "exploding-gradient": depth.exploding_gradient,
    "flat-region": surface.flat_region,
    "gradients-not-zeroed": program.gradients_not_zeroed,
    "low-precision": program.low_precision,
    "not-finite": program.not_finite,
    "parameters-not-trained": program.parameters_not_trained,
    "saddle": surface.saddle,
    "saturated-units": depth.saturated_units,
    "shape-broadcast": task.shape_broadcast,
    "step-too-large": step.step_too_large,
    "step-too-small": step.step_too_small,
    "still-improving": step.still_improving,
    "targets-misaligned": task.targets_misaligned,
    "unscaled-inputs": depth.unscaled_inputs,
    "unshuffled-batches": task.unshuffled_batches,
    "unstable-gradient": depth.unstable_gradient,
    "vanishing-gradient": depth.vanishing_gradient,
    "weight-decay-too-strong": surface.weight_decay_too_strong,
    "wrong-gradient": program.wrong_gradient,
    "wrong-loss": task.wrong_loss,
    "wrong-mode": program.wrong_mode,
    "wrong-output-activation": task.wrong_output_activation,
}
