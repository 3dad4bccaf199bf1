"""The pictures of the report, one per file; each takes the run and its findings and judges nothing."""

from __future__ import annotations

from collections.abc import Callable

from unstuck.record import Run
from unstuck.report.outline import Outline
from unstuck.report.pictures import along, forest, loss, network, sharpness, spectrum, speed, trial_curves
from unstuck.report.pictures.picture import Missing as Missing
from unstuck.report.pictures.picture import Picture as Picture

#: All pictures, in the order of the page.
PICTURES: tuple[Callable[[Run, Outline], Picture | Missing], ...] = (
    loss.draw,
    speed.draw,
    network.draw,
    sharpness.draw,
    spectrum.draw,
    along.draw,
)

#: Pictures of the trials, for runs that have some.
OF_TRIALS: tuple[Callable[[Run, Outline], Picture | Missing], ...] = (trial_curves.draw, forest.draw)
