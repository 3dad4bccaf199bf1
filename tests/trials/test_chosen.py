"""The metric that a user asks for: found among what was printed, or one sentence on what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trials.fake import Course, learns, write
from unstuck.errors import UsageError
from unstuck.trials.chosen import asked, chosen
from unstuck.trials.metric import Metric
from unstuck.trials.spec import Spec


def run(folder: Path, *lines: tuple[int, str]) -> Path:
    """Write a run of 100 steps that has printed lines."""
    course: Course = learns(Spec("baseline", steps=100))
    course.printed = list(lines)
    write(folder, course)
    return folder


def accuracies(folder: Path, *values: float, text: str = "epoch {n}: val_acc {value:.3f} lr: 0.1") -> Path:
    lines = [(20 * n, text.format(n=n, value=value)) for n, value in enumerate(values, 1)]
    return run(folder, *lines)


@pytest.mark.parametrize(
    ("text", "name", "higher"),
    [
        ("val accuracy", "val accuracy", True),
        ("val_loss", "val_loss", False),
        ("temperature:lower", "temperature", False),
        ("val loss:higher", "val loss", True),
    ],
)
def test_the_direction_is_that_of_the_name_or_as_written(text: str, name: str, higher: bool):
    assert (asked(text).name, asked(text).higher) == (name, higher)


@pytest.mark.parametrize(
    ("target", "value"), [("0.96", 0.96), ("96%", 0.96), (" 96 % ", 0.96), (0.96, 0.96), ("75", 75)]
)
def test_a_target_is_a_number_or_a_share(target: str | float, value: float):
    assert asked("val accuracy", target).target == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("temperature", None, 'write --metric "temperature:higher" or --metric "temperature:lower"'),
        ("loss:down", None, "after the colon of --metric stands higher or lower"),
        ("", None, "--metric is the name of what the program prints"),
        ("val accuracy", "high", "--target is a number, such as 0.96 or 96%; got 'high'"),
        ("val accuracy", "nan", "--target is a number"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(name: str, target: str | None, said: str):
    with pytest.raises(UsageError) as error:
        asked(name, target)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_it_is_found_by_its_words_with_the_steps_between_its_values(tmp_path: Path):
    folder = accuracies(tmp_path, 0.5, 0.7, 0.8, 0.85)
    found = chosen(asked("Validation_Acc", "0.84"), folder)
    assert found == Metric("val acc", higher=True, whole=1.0, target=0.84, every=20.0)
    assert chosen(asked("val acc"), folder).target is None


def test_percents_without_their_sign_are_shares_too(tmp_path: Path):
    assert chosen(asked("val_acc"), accuracies(tmp_path, 51.0, 70.0, 80.0)).whole == 100


@pytest.mark.parametrize(
    ("metric", "target", "said"),
    [
        (
            "val accuracy",
            None,
            "did not print 'val accuracy' in a line that 'unstuck fix' has noted; it printed 'val acc'",
        ),
        ("val acc", "85", "lies between 0 and 1, as the program's values do; got 85"),
        ("val acc", "0.3", "the program is at val acc 0.5 where it first prints it"),
    ],
)
def test_what_the_run_does_not_give_is_one_sentence(tmp_path: Path, metric: str, target: str | None, said: str):
    folder = accuracies(tmp_path, 0.5, 0.7, 0.8)
    with pytest.raises(UsageError) as error:
        chosen(asked(metric, target), folder)
    assert said in str(error.value)


def test_two_values_are_too_few_and_nothing_printed_is_said(tmp_path: Path):
    for name in ("few", "silent"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="after 2 of the run's steps, which is too seldom"):
        chosen(asked("val acc"), accuracies(tmp_path / "few", 0.5, 0.7))
    with pytest.raises(UsageError, match="no metric was seen in its lines"):
        chosen(asked("val acc"), run(tmp_path / "silent"))
