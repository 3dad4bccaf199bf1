"""Which remedies a finding calls for: one rule for each difficulty that has any."""

from __future__ import annotations

from unstuck.remedies.mode import TrainMode
from unstuck.remedies.rules import program, signal, steps
from unstuck.remedies.rules.always import always_worth_a_try as always_worth_a_try
from unstuck.remedies.rules.rule import Rule
from unstuck.remedies.shapes import SameShape
from unstuck.remedies.shuffling import Shuffle
from unstuck.remedies.zeroing import Zeroing

RULES: dict[str, Rule] = {
    "step-too-large": steps.smaller_steps,
    "step-too-small": steps.larger_steps,
    "saddle": steps.saddle,
    "flat-region": steps.flat_region,
    "weight-decay-too-strong": steps.without_decay,
    "not-finite": steps.not_finite,
    "vanishing-gradient": signal.signal,
    "unstable-gradient": signal.signal,
    "exploding-gradient": signal.growth,
    "bad-initialisation": signal.start,
    "saturated-units": signal.saturated_units,
    "dead-units": signal.dead_units,
    "unscaled-inputs": signal.scales,
    "low-precision": program.digits,
    "gradients-not-zeroed": program.one(Zeroing()),
    "parameters-not-trained": program.unreached,
    "wrong-mode": program.one(TrainMode()),
    "double-softmax": program.output,
    "wrong-output-activation": program.output,
    "shape-broadcast": program.one(SameShape()),
    "wrong-loss": program.fitting_loss,
    "unshuffled-batches": program.one(Shuffle()),
}
