"""``slow-code``: the same epoch from loops to whole batches, and what the machine could do."""

from __future__ import annotations

import torch

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Bar, bars
from unstuck.lab.slow_rows import SIZES
from unstuck.lab.slow_timing import (
    EXAMPLES,
    FLOP,
    PARAMETERS,
    ROWS,
    WEIGHTS,
    Way,
    by_loops,
    by_numpy,
    by_torch,
    gradient_error,
    machine,
)
from unstuck.report.pictures.picture import Picture

_QUESTION = "the question 'Neural network backpropagation taking forever', which reports it of a program of its own"
_MINUTES = 28.0


class SlowCode(Experiment):
    """Show how many times slower the same arithmetic is in loops than in whole batches.

    One epoch of gradient descent on a network [39, 39, 39, 1] and 10,000 rows is written with a loop for every sum,
    with NumPy and with torch, for batches of several sizes. Each is timed on as many rows as a moment allows and
    scaled to all; the processor's speed in the same products says how much is left.
    """

    name = "slow-code"
    title = "The same arithmetic, slow and fast"
    source = f"{_QUESTION}: [39, 39, 39, 1], 10,000 rows, 28 minutes an epoch"
    difficulties = ("wrong-gradient",)
    command = "unstuck check -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Time each way, the machine, and a gradient by differences."""
        times = 3 if setting.quick else 7
        loops, forward = by_loops(setting.seed, times, 10 if setting.quick else 50)
        found = [loops, *by_numpy(setting.seed, times), *by_torch(setting.seed, times)]
        peak, bandwidth = machine(times)
        error = gradient_error(setting.seed)
        differences = forward * (PARAMETERS + 1) * ROWS
        fast = min(found, key=lambda way: way.seconds)
        single = next(way for way in found if way.label == "NumPy, batches of 1")
        return Outcome(
            seen=(
                f"An epoch that was reported to take {_MINUTES:g} minutes takes {loops.seconds:.1f} seconds here with "
                f"a loop for every sum, {single.seconds:.2g} with NumPy one example at a time, and {fast.seconds:.2g} "
                f"as '{fast.label}'.",
                f"Loops alone do not explain it: they are {_MINUTES * 60 / loops.seconds:,.0f} times faster than the "
                f"report, whereas the slope of each weight by a small change, {PARAMETERS + 1:,} passes an example, "
                f"would take {differences / 60:,.0f} minutes in such loops, which makes it a suspect and no more.",
                f"The best way does {fast.speed:.2g} thousand million operations a second, and the processor "
                f"{peak:.2g} in a product of the same shape, where one example at a time does {single.speed:.2g}: a "
                f"step then costs {single.seconds / ROWS * 1e6:,.0f} microseconds, most of them for calling.",
            ),
            comparisons=(
                Comparison("weights", WEIGHTS, f"{PARAMETERS:,} with biases", form=",d"),
                Comparison("operations an example, forward and backward", FLOP, "FLOP", form=",d"),
                *(_row(way) for way in found),
                Comparison(
                    "numerical slopes in pure Python, min an epoch",
                    differences / 60,
                    "one pass scaled",
                    "28",
                    _QUESTION,
                    form=",.0f",
                    timed=True,
                ),
                Comparison("matrix product of the network's shape, GFLOP/s", peak, "float32", form=".3g", timed=True),
                Comparison("memory copied, read and written, GB/s", bandwidth, form=".3g", timed=True),
                Comparison("gradient by differences against backpropagation, relative", error, "float64", form=".1g"),
            ),
            pictures=(_times(found, differences), _speeds(found, peak)),
            settings={
                "network": f"{'-'.join(map(str, SIZES))}, sigmoid, linear output, half the squared error",
                "rows": f"{ROWS:,}; " + "; ".join(f"{way.label}: timed on {way.timed:,}" for way in found),
                "time": f"the shortest of {times}, so that others on the machine count least; NumPy and torch in "
                f"float32, torch with {torch.get_num_threads()} threads",
                "matrix product": "10,000 x 39 times 39 x 39, 2 operations for each product and sum",
                "check": f"central differences of each weight, step 1e-5, {EXAMPLES} examples",
            },
            notes=(
                "Times are of this machine in this minute and are compared with nothing; the question says neither "
                "which machine nor which code it was.",
                "Rows beyond those timed are scaled, not run. torch.compile is not tried: it needs a C++ compiler, and "
                "compiles for longer than these epochs take.",
            ),
        )


def _row(way: Way) -> Comparison:
    known = "1680" if way.label.startswith("pure") else ""
    source = _QUESTION if known else ""
    spread = f"{way.speed:.2g} GFLOP/s"
    return Comparison(f"{way.label}, s an epoch", way.seconds, spread, known, source, form=".2g", timed=True)


def _times(found: list[Way], differences: float) -> Picture:
    rows = [
        Bar("as reported", _MINUTES * 60, note="1,680 s", colour=5),
        Bar("slopes by changes, loops", differences, note=f"{differences:,.0f} s", colour=1),
        *(Bar(way.label, way.seconds, note=f"{way.seconds:.2g} s") for way in found),
    ]
    keys = ((5, "as the question reports it"), (1, "scaled from one pass"), (0, "measured here"))
    return bars(
        "slow-code-times",
        "One epoch, written in many ways",
        "Seconds for 10,000 rows, on a logarithmic scale: each line is ten times the one before. The arithmetic is the "
        "same in all but the second.",
        rows,
        Axis("seconds, logarithmic scale", "log"),
        keys,
    )


def _speeds(found: list[Way], peak: float) -> Picture:
    rows = [Bar(way.label, way.speed, note=f"{way.speed:.2g}") for way in found]
    return bars(
        "slow-code-speeds",
        "Arithmetic that gets done",
        "Thousand million operations a second, on a logarithmic scale, under what the processor does in a product of "
        "the same shape. Small batches are spent on calling, not on computing.",
        [*rows, Bar("the processor", peak, note=f"{peak:.2g}", colour=2)],
        Axis("GFLOP/s, logarithmic scale", "log"),
    )
