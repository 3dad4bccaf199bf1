"""``surface``: minima, saddles and plains, and whether it is the minima that stop a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from unstuck.lab.critical_points import Found, kinds
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.plots import Axis, Floats, Series, curves
from unstuck.lab.surface_runs import CRITICAL, DECAY, LINE, POINTS, critical, lines_of, restarts
from unstuck.report.pictures.picture import Picture, Table

#: A loss of XOR below which all four cases are right with room to spare.
_SOLVED = 0.01
_GOODFELLOW = "Goodfellow et al. 2015, Qualitatively characterizing neural network optimization problems, abstract"


class Surface(Experiment):
    """Show of what kind the points are at which a gradient vanishes, and what lies between start and goal.

    Points where the gradient is 0 are searched from places along trainings of a small network, and the share of
    negative curvatures of each is set against its loss. Larger networks are looked at along the straight line from
    their first weights to the trained ones, and XOR is learned from many seeds at once to see how often and at what
    kind of point it is stuck.
    """

    name = "surface"
    title = "The surface: minima, saddles, plains, and straight lines through them"
    source = (
        "Dauphin et al. 2014, Identifying and attacking the saddle point problem (arXiv:1406.2572); "
        "Goodfellow et al. 2015 (arXiv:1412.6544)"
    )
    difficulties = ("saddle", "flat-region")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Search the critical points, walk the lines, and start XOR again and again."""
        quick = setting.quick
        generator = torch.Generator().manual_seed(setting.seed)
        setting.say("critical points")
        found = critical(3 if quick else 12, 60 if quick else 200, generator)
        setting.say("straight lines")
        lines = lines_of(3 if quick else 10, 200 if quick else 500, generator)
        setting.say("XOR again and again")
        losses, ends = restarts(200 if quick else 1000, 2000 if quick else 5000, generator)
        rise = np.maximum.accumulate(lines[::-1], axis=0)[::-1] - lines  # how far each point lies below a later one
        barrier = float((rise.max(0) / lines[0]).max())
        link = float(np.corrcoef(_ranks(found.index.numpy()), _ranks(found.losses.numpy()))[0, 1])
        saddles = int((found.index > 0).sum())
        solved = float((losses < _SOLVED).mean())
        stuck = Counter(kind for kind, loss in zip(ends, losses, strict=True) if loss >= _SOLVED)
        told = ", ".join(f"{count} at a {kind}" for kind, count in stuck.most_common()) or "none"
        return Outcome(
            seen=(
                f"Of {len(found.losses)} different points where the gradient of a small network vanishes, {saddles} "
                f"are saddles and {len(found.losses) - saddles} minima; the share of directions that lead down and the "
                f"loss have a rank correlation of {link:.2f}.",
                f"On the straight line from the first weights to the trained ones the loss never rises by more than "
                f"{barrier:.1%} of its first value in {lines.shape[1]} networks of {LINE.size:,} weights.",
                f"XOR with two hidden units, which has little room, was learned from {solved:.0%} of {len(losses)} "
                f"seeds; where the others were when training ended: {told}.",
            ),
            comparisons=(
                Comparison("different critical points found", len(found.losses), f"{found.tried} searches", form="d"),
                Comparison("saddles among them", saddles, form="d"),
                Comparison("rank correlation of loss and share of negative curvatures", link, form=".2f"),
                Comparison(
                    "highest rise on a straight line, over the first loss",
                    barrier,
                    f"{lines.shape[1]} seeds",
                    "none (no obstacles)",
                    _GOODFELLOW,
                    band=(0.0, 0.01),
                    form=".4f",
                ),
                Comparison("XOR: share of seeds that learn it", solved, f"{len(losses)} seeds", form=".3f"),
                *(Comparison(f"XOR: seeds that ended at a {k}, not solved", n, form="d") for k, n in stuck.items()),
            ),
            pictures=(_indices(found), _straight(lines), _ended(losses)),
            settings={
                "critical points": f"{'-'.join(map(str, CRITICAL.sizes))} tanh, cross-entropy + {DECAY:g} |w|^2 / 2, "
                "four principal components of 60 images of the digits 0, 1 and 2, float64; |g|^2 minimised from places "
                "along trainings, times 0.3, 1 and 3; kept where |g| is below 1e-7",
                "straight lines": f"{'-'.join(map(str, LINE.sizes))} tanh, cross-entropy, 7 x 7 pixels, full batch, "
                f"momentum 0.9, {POINTS} points",
                "XOR": "2-2-1, tanh, outputs through tanh, targets -0.9 and 0.9, half the mean squared error, full "
                "batch, rate 0.2, momentum 0.9",
                "kinds": "slope, flat, saddle or minimum by the gradient and the ends of the Hessian's spectrum; "
                + "; ".join(f"{name}: {kind}" for name, kind in _examples().items()),
            },
            notes=(
                "Dauphin et al. give their correlation as a picture, of larger networks and by Newton's method.",
                "Decay keeps the critical points of the small network from running away to infinity.",
                "With no curvature below minus a thousandth of the largest, a point where XOR ended counts as a "
                "minimum; a very flat saddle would as well.",
                "Later work found that on larger tasks the straight line is no test for minima: the loss can stay high "
                "until near the end (Frankle 2020).",
            ),
        )


def _ranks(values: Floats) -> Floats:
    """Return ranks, equal values sharing their mean: one point far above all others then weighs no more than they."""
    _, place, count = np.unique(values.round(9), return_inverse=True, return_counts=True)
    return np.asarray((count.cumsum() - (count - 1) / 2)[place], dtype=np.float64)


def _examples() -> dict[str, str]:
    """Return the kinds of four points that are known, of functions of two variables."""
    known: dict[str, Callable[[Tensor], Tensor]] = {
        "bowl": lambda p: p[:, 0] ** 2 + 3 * p[:, 1] ** 2,
        "saddle of x^2 - y^2": lambda p: p[:, 0] ** 2 - p[:, 1] ** 2,
        "plain of tanh far out": lambda p: torch.tanh(p[:, 0] + p[:, 1] + 20),
        "side of a non-convex ridge": lambda p: torch.sin(p[:, 0] + 0.5) + p[:, 1],
    }
    zero = torch.zeros(1, 2, dtype=torch.float64)
    return {name: kinds(function, zero)[0] for name, function in known.items()}


def _indices(found: Found) -> Picture:
    minima = found.index == 0
    return curves(
        "surface-index",
        "Critical points: loss against ways down",
        "Each dot is a point where the gradient is 0. Upwards, its loss; to the right, the share of directions in "
        "which the surface bends down: 0 is a minimum, all others are saddles.",
        [
            Series("saddles", found.index[~minima].numpy(), found.losses[~minima].numpy(), "dots", 1),
            Series("minima", found.index[minima].numpy(), found.losses[minima].numpy(), "dots", 0),
        ],
        Axis("share of negative curvatures", limits=(-0.02, max(0.1, 1.1 * float(found.index.max())))),
        Axis("loss, logarithmic scale", "log"),
    )


def _straight(lines: Floats) -> Picture:
    shares = np.linspace(0, 1, len(lines))
    middle, low, high = np.median(lines, 1), lines.min(1), lines.max(1)
    return curves(
        "surface-lines",
        "Straight from the first weights to the trained ones",
        f"The loss along the line, median and range of {lines.shape[1]} seeds. No hill is crossed where it only falls.",
        [Series("loss", shares, middle, low=low, high=high)],
        Axis("share of the way"),
        Axis("loss"),
    )


def _ended(losses: Floats) -> Picture:
    ordered = np.sort(losses)
    levels = Counter(np.round(ordered, 3).tolist()).most_common(6)
    rows = tuple((f"{level:.3f}", f"{count}") for level, count in sorted(levels))
    return curves(
        "surface-restarts",
        "Where XOR ends, seed by seed",
        "The last losses of all seeds, from the best to the worst. Steps are places where trainings get stuck: to "
        "start again is worth it where the best step is wide.",
        [Series("last loss", np.arange(1, len(ordered) + 1) / len(ordered), ordered)],
        Axis("share of the seeds"),
        Axis("last loss"),
        Table("Commonest last losses", ("loss", "seeds"), rows),
    )
