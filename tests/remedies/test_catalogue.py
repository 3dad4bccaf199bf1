"""Every remedy: it comes back from its JSON, has words for itself and an edit for any run, and breaks no program."""

from __future__ import annotations

import json

import pytest
from torch.optim import SGD

from tests.difficulties.records import Record, stays
from tests.remedies.training import staged, train
from unstuck.errors import UsageError
from unstuck.remedies import REMEDIES, Remedy, from_json
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

EXAMPLES: tuple[Remedy, ...] = (
    LearningRate(10.0),
    LearningRate(0.1),
    Schedule("cosine", 0.05),
    Momentum(0.9),
    Betas(0.9, 0.99),
    Exchange("Adam", 1e-3),
    WeightDecay(0.0),
    Clipping(1.0),
    Initialise("he"),
    Activation("relu"),
    Normalise("batch"),
    ScaleInputs(),
    ScaleTargets(),
    DropActivation("train.py", 14, "softmax"),
    MendSoftmax("train.py", 14, "softmax", 1),
    ExchangeLoss("mse_loss"),
    MapLabels(1.0, 2.0),
    SameShape(),
    Shuffle(),
    BatchSize(2.0),
    Workers(2),
    Zeroing(),
    TrainAll(),
    Unfreeze(),
    TrainMode(),
    Precision("float32"),
    Widen(2),
    FreezeHalf("units"),
)
each = pytest.mark.parametrize("remedy", EXAMPLES, ids=lambda remedy: remedy.label)


def test_there_is_an_example_of_every_remedy():
    assert {type(remedy) for remedy in EXAMPLES} == set(REMEDIES)
    assert len({remedy.kind for remedy in EXAMPLES}) == len(REMEDIES)


@each
def test_it_comes_back_from_its_json(remedy):
    assert from_json(json.loads(json.dumps(remedy.to_json()))) == remedy


@each
def test_it_has_words_for_itself_and_for_its_edit(remedy):
    assert 3 < len(remedy.label) < 70
    edit = remedy.edit(Record(loss=stays()).run())
    assert len(edit.sentence) > 10
    assert not edit.sentence.endswith(".")


@each
def test_a_program_that_it_does_not_fit_trains_on(remedy):
    with staged(remedy):
        weights = train(lambda ps: SGD(ps, lr=0.01))
    assert all(bool(weight.isfinite().all()) for weight in weights)


@pytest.mark.parametrize("values", [{"kind": "magic"}, {}, {"kind": "learning-rate", "speed": 2}])
def test_what_is_no_remedy_is_refused_with_a_sentence(values):
    with pytest.raises(UsageError):
        from_json(values)
