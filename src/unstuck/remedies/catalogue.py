"""All remedies by their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unstuck.errors import UsageError
from unstuck.remedies.activation import Activation
from unstuck.remedies.batch_size import BatchSize
from unstuck.remedies.betas import Betas
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.freezing import FreezeHalf
from unstuck.remedies.initialisation import Initialise
from unstuck.remedies.input_scaling import ScaleInputs
from unstuck.remedies.labels import MapLabels
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.mode import TrainMode
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.normalisation import Normalise
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.output import DropActivation
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.precision import Precision
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.schedule import Schedule
from unstuck.remedies.shapes import SameShape
from unstuck.remedies.shuffling import Shuffle
from unstuck.remedies.softmax import MendSoftmax
from unstuck.remedies.target_scaling import ScaleTargets
from unstuck.remedies.unfreeze import Unfreeze
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.remedies.widening import Widen
from unstuck.remedies.workers import Workers
from unstuck.remedies.zeroing import Zeroing

#: One line per remedy.
REMEDIES: tuple[type[Remedy], ...] = (
    LearningRate,
    Schedule,
    Momentum,
    Betas,
    Exchange,
    WeightDecay,
    Clipping,
    Initialise,
    Activation,
    Normalise,
    ScaleInputs,
    ScaleTargets,
    DropActivation,
    MendSoftmax,
    ExchangeLoss,
    MapLabels,
    SameShape,
    Shuffle,
    BatchSize,
    Workers,
    Zeroing,
    TrainAll,
    Unfreeze,
    TrainMode,
    Precision,
    Widen,
    FreezeHalf,
)

_BY_KIND = {remedy.kind: remedy for remedy in REMEDIES}


def from_json(values: Mapping[str, Any]) -> Remedy:
    """Return a remedy from its JSON (inverse of :meth:`Remedy.to_json`).

    Args:
        values: ``kind`` and the remedy's fields.

    Returns:
        The remedy.

    Raises:
        UsageError: There is no such kind, or it has no such field.
    """
    fields = dict(values)
    kind = fields.pop("kind", None)
    if kind not in _BY_KIND:
        raise UsageError(f"there is no remedy {kind!r}; there are {', '.join(_BY_KIND)}")
    try:
        return _BY_KIND[kind](**fields)
    except TypeError as error:
        raise UsageError(f"the remedy {kind} cannot be made from {fields}: {error}") from None
