"""What holds for every difficulty of the catalogue, whatever the record looks like."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.difficulties.planted import FAULTY, SOUND
from tests.difficulties.records import Record, layer, learns, stack, stays
from unstuck.difficulties import DIFFICULTIES, Difficulty, diagnose
from unstuck.difficulties.diagnosis import cases_of
from unstuck.difficulties.finding import Diagnosis, Finding

NAN, INF = float("nan"), float("inf")
NAMES = [difficulty.name for difficulty in DIFFICULTIES]

#: The catalogue of the design: names that are released do not change.
CATALOGUE = """
    step-too-large step-too-small schedule-decays-too-fast schedule-decays-too-slowly schedule-starts-at-zero
    loss-spikes
    ill-conditioned saddle flat-region poor-local-minimum weight-decay-too-strong
    vanishing-gradient exploding-gradient unstable-gradient saturated-units dead-units bad-initialisation
    unscaled-inputs
    moving-target herd-effect redundant-units too-little-capacity
    batch-too-small batch-too-large unshuffled-batches unlearnable-examples
    wrong-gradient wrong-loss wrong-output-activation double-softmax shape-broadcast
    gradients-not-zeroed parameters-not-trained detached-graph wrong-mode targets-misaligned not-finite low-precision
    waiting-for-data overhead-bound device-sync recompilation
    converged still-improving overfitting
""".split()

#: Everything that a record may hold, in one.
RICH = FAULTY["weight-decay-too-strong"].but(
    layers=[*stack(3, activation="tanh"), layer("norm", 32, kind="norm"), layer("rnn", 32, 32, kind="recurrent")],
    events=[{"name": "not_finite", "step": 30, "value": "inf", "operation": "LogBackward0", "parameters_count": 0}],
    errors=[{"where": "curvature", "step": 3, "error": "RuntimeError: no", "traceback": "..."}],
    failed={"held_out": "no earlier step left a direction of negative curvature"},
)


def replaced(value: Any, by: Any) -> Any:
    """Return a tree with every number in it replaced."""
    if isinstance(value, dict):
        return {key: replaced(item, by) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, by) for item in value]
    return by if callable(value) or (isinstance(value, (int, float)) and not isinstance(value, bool)) else value


def all_of(record: Record, by: Any) -> Record:
    """Return a record in which every number of every probe is the same."""
    plan = replaced(record.measurements()[0], by)
    return record.but(changes=plan)


ODD: dict[str, Record] = {
    "empty": Record(loss=[], layers=[], probed=()),
    "one step": Record(loss=[2.3], probed=(0,)),
    "two steps": Record(loss=[2.3, 2.2], probed=(0, 1)),
    "no probes": Record(loss=stays(), probed=()),
    "no losses": Record(loss=[None] * 100),
    "no measurements": Record(loss=stays(), changes=dict.fromkeys(RICH.measurements()[0])),
    "empty measurements": Record(loss=stays(), changes={name: lambda _: {} for name in RICH.measurements()[0]}),
    "all None": all_of(RICH, lambda _: None),
    "all NaN": all_of(RICH, NAN),
    "all infinite": all_of(RICH, INF),
    "all minus infinite": all_of(RICH, -INF),
    "all zero": all_of(RICH, 0),
    "no layers": Record(loss=stays(), layers=[]),
    "one layer": Record(loss=stays(), layers=stack(1)),
    "layers without a line": Record(loss=stays(), layers=[layer("a", file=None, line=None, activation=None)]),
    "NaN from the first step": Record(loss=[NAN] * 100),
    "infinite from the first step": Record(loss=[INF] * 100),
    "constant": Record(loss=[2.3] * 400),
    "constant 0": Record(loss=[0.0] * 400),
    "negative": Record(loss=[-x for x in learns()]),
    "learning rate 0": Record(loss=stays(), lr=0.0),
    "learning rate unseen": Record(loss=stays(), lr=[NAN] * 400),
    "rich": RICH,
}


def spoiled(rng: random.Random, measured: list[dict[str, Any]]) -> None:
    """Drop keys and replace numbers at random places of the measurements."""
    for _ in range(rng.choice((1, 3, 30, 100))):
        place: Any = rng.choice(measured) if measured else {}
        while isinstance(place, (dict, list)) and place:
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and rng.random() < 0.8:
                place = inner
                continue
            if isinstance(place, dict) and rng.random() < 0.4:
                del place[key]
            elif isinstance(inner, (int, float)) or inner is None:
                place[key] = rng.choice((None, NAN, INF, -INF, 0, -1.0, 1e30))
            break


def check(finding: Finding) -> None:
    """Hold a finding against what every finding promises."""
    assert 0 < finding.confidence <= 1
    assert finding.sentence.endswith(".")
    assert not finding.sentence.endswith("..")
    json.dumps(finding.evidence)
    for text in (finding.sentence, *finding.remedies):
        assert not re.search(r"\b(nan|inf|None)\b|np\.|float64", text), text
    assert all(type(value) is float for value in _numbers_of(finding)), finding
    if finding.role == "cause":
        assert finding.remedies
        assert all(finding.remedies)


def _numbers_of(finding: Finding) -> list[object]:
    cost = finding.cost
    if cost is None:
        return [finding.confidence]
    assert cost.low <= cost.times_slower <= cost.high, cost
    assert cost.low >= 1
    return [finding.confidence, cost.times_slower, cost.low, cost.high]


def diagnosed(record: Record, spoil: Callable[[list[dict[str, Any]]], None] | None = None) -> Diagnosis:
    """Diagnose a record; a difficulty whose judgement fails is an error here."""
    diagnosis = diagnose(record.run(spoil))
    broken = [missing for missing in diagnosis.not_measured if "its judgement failed" in missing.why]
    assert broken == []
    for finding in diagnosis.findings:
        check(finding)
    assert diagnosis.verdict.sentence.endswith(".")
    assert not re.search(r"\b(nan|inf)\b|np\.", diagnosis.verdict.sentence), diagnosis.verdict.sentence
    return diagnosis


def test_names_are_unique_and_from_the_catalogue():
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) <= set(CATALOGUE)


def test_what_is_explained_exists():
    for difficulty in DIFFICULTIES:
        assert set(difficulty.explains) <= set(NAMES) - {difficulty.name}


@pytest.mark.parametrize("difficulty", DIFFICULTIES, ids=lambda d: d.name)
def test_the_file_has_its_name_and_says_what_it_is(difficulty: Difficulty):
    module = inspect.getmodule(difficulty.find)
    assert module is not None
    assert module.__name__ == "unstuck.difficulties." + difficulty.name.replace("-", "_")
    assert (importlib.import_module(module.__name__).__doc__ or "").startswith(f"``{difficulty.name}``: ")


@pytest.mark.parametrize("difficulty", DIFFICULTIES, ids=lambda d: d.name)
def test_it_is_found_where_it_is(difficulty: Difficulty):
    finding = difficulty.find(FAULTY[difficulty.name].case())
    assert finding is not None
    assert finding.difficulty == difficulty.name
    assert str(finding.where).startswith("train.py:")
    check(finding)
    for text in (finding.sentence, *finding.remedies):
        assert not re.search(r"\d{5}|[1-9]\d*\.\d{3}|\.0*[1-9]\d{3}|e[+-]\d\d", text), f"too many digits: {text}"


@pytest.mark.parametrize("difficulty", DIFFICULTIES, ids=lambda d: d.name)
def test_it_is_not_found_in_its_twin(difficulty: Difficulty):
    assert difficulty.find(SOUND[difficulty.name].case()) is None


# A program that does not zero its gradients does not do what it means to, learn as it may.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "gradients-not-zeroed"])
def test_it_is_no_cause_in_a_run_that_learned(name: str):
    difficulty = DIFFICULTIES[NAMES.index(name)]
    finding = difficulty.find(FAULTY[name].but(loss=learns()).case())
    assert finding is None or finding.role == "note" or finding.cost is None


@pytest.mark.parametrize("name", ODD)
def test_odd_records_are_diagnosed(name: str):
    diagnosed(ODD[name])


@pytest.mark.parametrize("seed", range(12))
def test_spoiled_records_are_diagnosed(seed: int):
    for number, record in enumerate([*FAULTY.values(), RICH]):
        rng = random.Random(100 * seed + number)
        diagnosed(record, partial(spoiled, rng))


@pytest.mark.parametrize("name", FAULTY)
def test_a_record_cut_off_anywhere_is_diagnosed(name: str):
    record = FAULTY[name]
    for steps in (0, 1, 2, 3, 5, 9, 20, 50, 200):
        probed = tuple(step for step in record.probed if step < steps)
        diagnosed(record.but(loss=record.loss[:steps], probed=probed))


def test_every_optimizer_gets_a_case_though_it_was_never_described():
    run = Record().run()
    run.optimizers.clear()
    assert [case.optimizer.name for case in cases_of(run)] == ["?"]
    assert math.isfinite(diagnose(run).overhead.fraction)
