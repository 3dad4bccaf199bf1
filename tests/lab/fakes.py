"""Made-up experiments: they take no time, and one has everything that a page can show."""

from __future__ import annotations

import numpy as np

from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Bar, Series, bars, curves
from unstuck.report.pictures.picture import Table


class Whole(Experiment):
    """Show all that can be shown."""

    name = "whole"
    title = "An experiment with numbers, pictures, settings and notes"
    source = "A. Author and B. Author, A title of the usual length (1999)"
    difficulties = ("saddle", "flat-region")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        setting.say("half of it is done")
        x = np.arange(50.0)
        rows = (
            Comparison(
                "steps to a loss of 0.1", 1500.0, "1400 to 1600", "1700 in 100 trials", "table 1", band=(1e3, 2e3)
            ),
            Comparison(
                "share of runs that end above the level that was asked for (%)", 12.5, "", "3", "p. 7", "remembered"
            ),
            Comparison("another of ours", float(setting.seed), "exact", band=(-1.0, -0.5)),
        )
        series = [Series(f"series {n}", x, 10.0 ** (-n - x / 20), low=x * 0 + 1e-9, high=x * 0 + 1) for n in range(6)]
        spread = [Bar("a name of some length", 3.0, 2.0, 4.0), Bar("short", 1.0, colour=5, note="over 1000")]
        return Outcome(
            seen=("It begins <here>.", "It goes on & on.", f"It ends with seed {setting.seed}."),
            comparisons=rows,
            pictures=(
                curves(
                    "whole-curves",
                    "Six curves",
                    "How to read it.",
                    series,
                    Axis("step", whole=True),
                    Axis("error", "log"),
                ),
                bars(
                    "whole-bars", "Two bars", "How to read them.", spread, Axis("seconds"), [(0, "one"), (5, "other")]
                ),
                curves(
                    "whole-few",
                    "A few points",
                    "With a table.",
                    [Series("seen", x[:3], [1.0, np.nan, 2.0], "dots"), Series("theory", x[:3], x[:3], "dashed")],
                    Axis("x"),
                    Axis("y", limits=(0.0, 3.0)),
                    Table("Points", ("x", "y"), (("0", "1"), ("1", "none"))),
                ),
            ),
            settings={"precision": "float64", "a long one": "batches of 10, " * 20},
            notes=("It was made up.",),
        )


class Bare(Experiment):
    """Show one number."""

    name = "bare"
    title = "One number"
    source = "None"
    difficulties = ()
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        return Outcome(("One.", "Two.", "Three."), (Comparison("of ours", 1.0),), (), {"all": "as it is"})


class Failing(Experiment):
    """Fail as an experiment may: with an error, a number that is none, or because the user has had enough."""

    name = "failing"
    title = "One that fails"
    source = "None"
    difficulties = ()
    command = "unstuck run -- python train.py"

    def __init__(self, error: BaseException | None = None, number: float = 0.0) -> None:
        self.error, self.number = error, number

    def run(self, setting: Setting) -> Outcome:
        if self.error:
            raise self.error
        return Outcome(("One.", "Two.", "Three."), (Comparison("the ratio", self.number),), (), {})
