"""``herd``: eight units that learn the strong part of a task together, and leave the weak part for later."""

from __future__ import annotations

import numpy as np

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.greedy import PASSES, add_units
from unstuck.lab.planted import EXAMPLES, INPUTS, SOLVED, UNITS, Arm, Course, train
from unstuck.lab.plots import Axis, Bar, Floats, Series, bars, curves
from unstuck.report.pictures.picture import Picture

_TOGETHER, _ALONE, _FROZEN, _FAST = "together", "alone", "frozen", "fast"
_EQUAL, _SPREAD = "equal", "spread"
_ARMS = {
    _TOGETHER: Arm("all together"),
    _ALONE: Arm("B alone, without A", (0.0, 0.3)),
    _FROZEN: Arm("half frozen after A", frozen=UNITS // 2),
    _FAST: Arm("together, 5 times the rate", rate=1.0),
    _EQUAL: Arm("together, B as strong as A", (1.0, 1.0)),
    _SPREAD: Arm("usual first weights", spread=INPUTS**-0.5),
}
_ADDED = 4


class Herd(Experiment):
    """Show the herd effect on a planted task, and how much of the slowness it explains.

    The task is the sum of a strong part A and a weak part B, each of one input. What the units do is watched while they
    learn. Then it is changed: B without A, half of the units frozen after A, and units added one at a time.
    """

    name = "herd"
    title = "The herd effect: one task at a time"
    source = (
        "Fahlman and Lebiere, The cascade-correlation learning architecture, CMU-CS-90-100 (1990); the task is ours"
    )
    difficulties = ("saddle", "flat-region")
    command = "unstuck fix -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Train all arms."""
        seeds, steps = (3, 1300) if setting.quick else (8, 3000)
        left_out = (_EQUAL, _SPREAD) if setting.quick else ()
        courses = {}
        for name, arm in _ARMS.items():
            if name not in left_out:
                setting.say(arm.label)
                courses[name] = train(arm, seeds, steps, setting.seed)
        setting.say("units added one at a time")
        added = add_units(_ARMS[_TOGETHER], _ADDED, seeds, setting.seed)
        solved = {name: (course.solved(0), course.solved(1)) for name, course in courses.items()}
        first, second = (_middle(times, steps) for times in solved[_TOGETHER])
        alone, frozen, fast = (_middle(solved[name][1], steps) for name in (_ALONE, _FROZEN, _FAST))
        herd, rank = _height(courses[_TOGETHER])
        wanted = np.all(added < SOLVED, axis=2)
        units = np.where(np.any(wanted, axis=1), np.argmax(wanted, axis=1), _ADDED).astype(float)
        passes = PASSES * float(np.median(units))
        return Outcome(
            seen=(
                f"While part A is learned, {np.median(herd):.0f} of {UNITS} units turn to A's input, though B is not "
                f"solved, and all of them together vary like {np.median(rank):.1f} units: that is the herd.",
                f"A is solved after {first:.0f} steps and B after {second:.0f}, but B alone, with no A to follow, "
                f"takes {alone:.0f}, and with half of the units frozen after A {frozen:.0f}: {alone / second:.0%} of "
                "the time is owed to its weakness, so that the herd is not proven to be what makes it slow.",
                f"Units added one at a time, each trained on what is missing, measured by its own size, and then "
                f"frozen, solve both parts with {np.median(units):.0f} units and {passes:.0f} passes, where all "
                f"together need {fast:.0f} even at five times the learning rate.",
            ),
            comparisons=(
                Comparison("units on A at the height of the herd, of 8", float(np.median(herd)), _range(herd)),
                Comparison("effective rank of the units then", float(np.median(rank)), _range(rank), form=".2f"),
                *(
                    Comparison(
                        f"{_ARMS[name].label}: steps until {part} is solved", _middle(times, steps), _range(times)
                    )
                    for name, both in solved.items()
                    for part, times in zip("AB", both, strict=True)
                    if part == "B" or name != _ALONE
                ),
                Comparison("units added one at a time: passes until both are solved", passes, _range(PASSES * units)),
            ),
            pictures=(_parts(courses, seeds), _units(courses[_TOGETHER]), _bars(solved, PASSES * units, steps)),
            settings={
                "task": f"y = tanh(3 x1) + 0.3 tanh(3 x2), {INPUTS} normal inputs, {EXAMPLES} examples",
                "network": f"{INPUTS}-{UNITS}-1, tanh, biases 0 at first, weights normal with deviation 0.01",
                "rule": "gradient descent on half the mean squared error, rate 0.2, all examples",
                "solved": f"less than {SOLVED:.0%} of a part is missing, by regression of the error on both parts",
                "on A": "largest incoming weight, or entry of its gradient, is that of A's input",
                "effective rank": "exp of the entropy of the squared singular values of the centred activations",
                "added one at a time": f"{PASSES} steps of covariance with the error over its spread, rate 1, one "
                "candidate; output weights by least squares after each unit",
                "seeds": f"{seeds}, each with its own data; numbers are medians",
                "precision": "float64",
            },
            notes=(
                "Nothing is published on this task: the paper describes the effect in words.",
                "Adding units is not only free of the herd: it also measures each error by its own size, so that a "
                "weak part is learned as fast as a strong one, and solves its output weights. What it saves is not "
                "evidence for the herd alone.",
                *(f"{_ARMS[name].label}: left out of the short form" for name in left_out),
            ),
        )


def _middle(times: Floats, steps: int) -> float:
    """Return the median; what was not solved counts as the last step."""
    return float(np.median(np.minimum(times, steps)))


def _height(course: Course) -> tuple[Floats, Floats]:
    """Return the most units that were on A before A was solved, and the least rank by then, ``[seeds]`` each."""
    before = course.times[None] <= course.solved(0)[:, None]
    early = course.times[None] >= 10  # the first weights are no herd
    most: Floats = np.where(before & early, course.turned, 0).max(1)
    least: Floats = np.where(before & early, course.rank, np.inf).min(1)
    return most, least


def _range(values: Floats) -> str:
    reached = values[np.isfinite(values)]
    if not len(reached):
        return f"never, {len(values)} seeds"
    late = f", {len(values) - len(reached)} not at all" if len(reached) < len(values) else ""
    return f"{reached.min():.4g} to {reached.max():.4g}, {len(values)} seeds{late}"


def _parts(courses: dict[str, Course], seeds: int) -> Picture:
    together, alone = (courses[name].missing.mean(0)[1:] for name in (_TOGETHER, _ALONE))
    steps = np.arange(1, len(together) + 1)
    return curves(
        "herd-parts",
        "Two parts, one after the other",
        f"What the output still lacks of each part, in the mean of {seeds} networks; a part is solved below 10 %. "
        "B falls with A at first: units that follow A take some of B's input along.",
        [
            Series("A, strong", steps, 100 * together[:, 0]),
            Series("B, weak", steps, 100 * together[:, 1]),
            Series("B alone, without A", np.arange(1, len(alone) + 1), 100 * alone[:, 1], "dashed", colour=1),
        ],
        Axis("step, logarithmic scale", "log"),
        Axis("missing, %", limits=(0.0, 105.0)),
    )


def _units(course: Course) -> Picture:
    times = course.times[1:]
    return curves(
        "herd-units",
        "What the eight units do meanwhile",
        "Units whose largest incoming weight is that of A's input; those whose gradient pulls there most; and in how "
        "many directions the activations of all eight vary (effective rank). Means over the networks.",
        [
            Series("units turned to A", times, course.turned.mean(0)[1:]),
            Series("units pulled to A", times, course.pulled.mean(0)[1:], "dashed", colour=1),
            Series("effective rank", times, course.rank.mean(0)[1:], colour=2),
        ],
        Axis("step, logarithmic scale", "log"),
        Axis("units", limits=(0.0, 8.4)),
    )


def _bars(solved: dict[str, tuple[Floats, Floats]], passes: Floats, steps: int) -> Picture:
    rows = []
    for name, both in solved.items():
        times = np.minimum(both[1], steps)
        rows.append(
            Bar(_ARMS[name].label, _middle(times, steps), times.min(), times.max(), note=f"{np.median(times):.0f}")
        )
    median = float(np.median(passes))
    rows.append(Bar("added one at a time", median, passes.min(), passes.max(), 1, f"{median:.0f}"))
    return bars(
        "herd-steps",
        "Steps until the weak part is solved",
        "Medians; whiskers run from the fastest to the slowest network. Every step looks at all examples.",
        rows,
        Axis("steps"),
    )
