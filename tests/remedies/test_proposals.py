"""What is tried on a run: what its findings call for, several causes at once, and what is always worth a try."""

from __future__ import annotations

import pytest

from tests.difficulties.planted import FAULTY
from tests.difficulties.records import Record, stays
from unstuck.difficulties import diagnose
from unstuck.difficulties.finding import Diagnosis, Finding, Overhead, Verdict, Where
from unstuck.record import Run
from unstuck.remedies import Remedy
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.mode import TrainMode
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.output import DropActivation
from unstuck.remedies.precision import Precision
from unstuck.remedies.proposals import Proposal, propose
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.remedies.widening import Widen
from unstuck.remedies.zeroing import Zeroing
from unstuck.trials.by_hand import NEEDS_A_PERSON, not_tried

RUN = Record(loss=stays()).run()


def cause(name: str, sentence: str = "", **more) -> Finding:
    return Finding(difficulty=name, role="cause", confidence=0.9, sentence=sentence, **more)


def proposed(*findings: Finding, run: Run = RUN) -> list[Proposal]:
    return propose(run, Diagnosis(Verdict("stuck", ""), findings, (), Overhead(0.0, 0.0)))


def remedies(*findings: Finding, run: Run = RUN) -> list[tuple[Remedy, ...]]:
    return [proposal.remedies for proposal in proposed(*findings, run=run)]


def test_a_cause_is_treated_before_what_is_always_tried():
    found = proposed(cause("step-too-small"))
    assert found[0].remedies == (LearningRate(10.0),)
    assert found[0].difficulty == "step-too-small"
    assert found[-1].difficulty == ""


def test_every_arm_is_there_once_and_they_are_not_too_many():
    found = remedies(cause("saddle"), cause("step-too-small"), cause("vanishing-gradient"))
    assert len(found) == len(set(found)) <= 18


def test_each_of_two_causes_is_treated():
    decay = Record(loss=stays(), group={"weight_decay": 0.005}).run()
    found = proposed(cause("weight-decay-too-strong"), cause("saddle"), run=decay)
    assert found[0] == Proposal((WeightDecay(0.0),), "weight-decay-too-strong")
    assert {proposal.difficulty for proposal in found} == {"weight-decay-too-strong", "saddle", ""}


def test_a_mistake_is_mended_before_anything_else_is_tried():
    assert remedies(cause("step-too-large"), cause("gradients-not-zeroed")) == [(Zeroing(),)]


def test_a_healthy_run_gets_a_few_that_are_always_worth_a_try():
    found = proposed()
    assert {proposal.difficulty for proposal in found} == {""}
    assert (LearningRate(3.0),) in [proposal.remedies for proposal in found]
    assert any(isinstance(remedy, Exchange) for proposal in found for remedy in proposal.remedies)


def test_a_wrong_program_gets_its_correction_and_no_other_learning_rate():
    assert remedies(cause("gradients-not-zeroed")) == [(Zeroing(),)]


def test_the_line_of_an_activation_comes_from_the_finding():
    where = Where(file="train.py", line=14)
    finding = cause("double-softmax", where=where, evidence={"before it": "softmax"})
    assert remedies(finding) == [(DropActivation("train.py", 14, "softmax"),)]


def test_a_fitting_loss_is_read_from_the_sentence_and_a_factor_from_the_evidence():
    exchanged = remedies(cause("wrong-loss", "Write F.binary_cross_entropy_with_logits(outputs, targets)."))
    assert (ExchangeLoss("binary_cross_entropy_with_logits"),) in exchanged
    scaled = remedies(cause("wrong-loss", "The loss is multiplied by 1000.", evidence={"factor": 1000.0}))
    assert scaled == [(LearningRate(0.001),)]


@pytest.mark.parametrize("name", sorted(FAULTY.keys() - NEEDS_A_PERSON.keys() - {"converged", "still-improving"}))
def test_every_difficulty_with_a_remedy_has_something_to_try(name):
    run = FAULTY[name].run()
    assert [proposal for proposal in propose(run, diagnose(run)) if proposal.difficulty]


def test_what_needs_a_person_is_said_with_the_reason():
    diagnosis = Diagnosis(Verdict("wrong", ""), (cause("targets-misaligned"),), (), Overhead(0.0, 0.0))
    ((name, why),) = not_tried(diagnosis)
    assert name == "targets-misaligned"
    assert "author" in why
    assert propose(RUN, diagnosis) == []


def test_an_evaluation_in_the_wrong_mode_is_no_matter_for_trials():
    seen = {"evaluations looked into": 2, "normalisations in training mode": 3}
    diagnosis = Diagnosis(Verdict("wrong", ""), (cause("wrong-mode", evidence=seen),), (), Overhead(0.0, 0.0))
    assert propose(RUN, diagnosis) == []
    assert not_tried(diagnosis) == [("wrong-mode", "it spoils the evaluations, not the training")]
    assert remedies(cause("wrong-mode")) == [(TrainMode(),)]


def test_without_an_optimizer_there_is_nothing_to_try():
    assert propose(Run(RUN.path, {}), diagnose(RUN)) == []


def _digits(low: bool, autocast: str | None, dtype: str) -> Run:
    measured = {"dtypes": {dtype: 10}, "autocast": autocast, "low": low, "lost_updates": 0.9, "largest": 1.0}
    return Record(loss=stays(), changes={"precision": measured}).run()


def test_more_digits_fit_the_numbers_that_were_seen():
    assert remedies(cause("low-precision"), run=_digits(True, None, "bfloat16")) == [(Precision("float32"),)]
    half = _digits(True, "float16", "float32")
    assert remedies(cause("low-precision"), run=half) == [(Precision("float32"),), (Precision("bfloat16"),)]
    assert remedies(cause("low-precision"), run=_digits(False, None, "float32")) == [(Precision("float64"),)]
    assert remedies(cause("not-finite"), run=half)[0] == (Precision("float32"),)
    assert (Precision("float64"),) not in remedies(cause("not-finite"), run=_digits(False, None, "float32"))


def test_more_units_are_tried_last_where_a_run_lies_flat():
    for name in ("saddle", "flat-region"):
        assert [p.remedies for p in proposed(cause(name)) if p.difficulty == name][-1] == (Widen(2),)
        alone = Record(loss=stays(), layers=[]).run()
        assert (Widen(2),) not in remedies(cause(name), run=alone)


def test_rprop_is_tried_where_every_step_sees_the_same_data():
    whole = Record(loss=stays(), changes={"inputs": {"sum": 1248.0}})
    for optimizer in ("SGD", "Adam"):
        assert (Exchange("Rprop", 0.01),) in remedies(run=whole.but(optimizer=optimizer).run())
        assert (Exchange("Rprop", 0.01),) not in remedies(run=Record(loss=stays(), optimizer=optimizer).run())
    assert not any("Rprop" in p.label for p in proposed(run=whole.but(optimizer="Rprop").run()))


@pytest.mark.parametrize(
    ("optimizer", "decay", "tried"), [("Adam", 0.01, True), ("Adam", 0, False), ("AdamW", 1, False)]
)
def test_adamw_is_tried_where_adam_has_weight_decay(optimizer, decay, tried):
    run = Record(loss=stays(), optimizer=optimizer, group={"weight_decay": decay}).run()
    assert ((Exchange("AdamW"),) in remedies(run=run)) is tried
