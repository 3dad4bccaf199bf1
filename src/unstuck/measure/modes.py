"""Whether layers that behave otherwise in training are set to training."""

from __future__ import annotations

from typing import Any

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation


def measure(evaluation: Evaluation) -> dict[str, Any]:
    """Return how batch normalisations and dropouts of the step were set.

    Costs nothing beside the replay.

    Args:
        evaluation: The step under measurement.

    Returns:
        ``norms`` with the numbers ``training``, ``evaluating``, and ``fresh``: of the evaluating ones, those whose
        running statistics are still the initial 0 and 1; ``dropouts`` with ``on`` and ``off``; ``file``, ``line`` of
        the first that evaluates.

    Raises:
        NotMeasurable: The step has no such layer.
    """
    modes = evaluation.step.modes
    if not (modes.norms_training + modes.norms_evaluating + modes.dropouts_on + modes.dropouts_off):
        raise NotMeasurable("the network has neither batch normalisation nor dropout")
    return {
        "norms": {
            "training": modes.norms_training,
            "evaluating": modes.norms_evaluating,
            "fresh": modes.norms_fresh,
        },
        "dropouts": {"on": modes.dropouts_on, "off": modes.dropouts_off},
        "file": modes.file,
        "line": modes.line,
    }
