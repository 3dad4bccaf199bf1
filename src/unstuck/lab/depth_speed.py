"""``depth-speed``: how fast each hidden layer learns at the start, in an ensemble of initialisations."""

from __future__ import annotations

import time

import numpy as np
import torch

from unstuck.lab.data import load_mnist
from unstuck.lab.depth import BOOK, REPOSITORY, Networks, one_hot, speeds
from unstuck.lab.experiment import Comparison, Experiment, Outcome, Setting
from unstuck.lab.one_by_one import seconds_per_example
from unstuck.lab.plots import Axis, Bar, Floats, bars
from unstuck.report.pictures.network import Column, draw_panel, panel_height
from unstuck.report.pictures.picture import Picture, both
from unstuck.report.pictures.svg import Svg

_IMAGES = 1000
#: Published speeds of the hidden layers by their number, first layer first: one draw each.
_PUBLISHED = {2: (0.065741, 0.309218), 3: (0.011838, 0.059965, 0.283142), 4: (0.002975, 0.017077, 0.069539, 0.285139)}
#: From the 5th to the 95th percentile of 200 initialisations of an earlier measurement of ours, in NumPy.
_BANDS = {
    2: ((0.038, 0.085), (0.201, 0.381)),
    3: ((0.0071, 0.0182), (0.036, 0.087), (0.201, 0.393)),
    4: ((0.0012, 0.0043), (0.0067, 0.0198), (0.037, 0.091), (0.198, 0.425)),
}
#: Networks that are trained as one; more need more memory and are no faster.
_TOGETHER = 25


class DepthSpeed(Experiment):
    """Show that at the start each layer learns about five times slower than the one after it.

    The speed of a layer is the norm of the mean gradient of its biases over the first 1000 training images.
    """

    name = "depth-speed"
    title = "How fast each layer learns at the start"
    source = BOOK
    difficulties = ("vanishing-gradient", "unstable-gradient")
    command = "unstuck run -- python train.py"

    def run(self, setting: Setting) -> Outcome:
        """Measure all initialisations."""
        count = 50 if setting.quick else 200
        began = time.process_time()
        found = {hidden: ensemble(hidden, count, setting) for hidden in _PUBLISHED}
        each = (time.process_time() - began) / (count * len(found) * _IMAGES)
        images, labels = load_mnist("train")
        slow = float(np.mean([seconds_per_example(hidden, images[:100], labels[:100], 100) for hidden in found]))
        ranges = {hidden: np.percentile(each, [5, 50, 95], axis=1) for hidden, each in found.items()}
        ratios = {hidden: np.percentile(each[-1] / each[0], [5, 50, 95]) for hidden, each in found.items()}
        inside = sum(
            bool(low <= value <= high)
            for hidden, values in _PUBLISHED.items()
            for value, low, high in zip(values, ranges[hidden][0], ranges[hidden][2], strict=True)
        )
        two, four = ratios[2], ratios[4]
        return Outcome(
            seen=(
                f"With two hidden layers the second learns {two[1]:.1f} times as fast as the first, half of the draws "
                f"lying above that and half below.",
                f"With four, the last learns {four[1]:.0f} times as fast as the first (in nine draws of ten between "
                f"{four[0]:.0f} and {four[2]:.0f} times): a factor of {four[1] ** (1 / 3):.1f} at each layer.",
                f"Of the 9 published speeds, which come from one draw each, {inside} lie within the range of nine in "
                f"ten of our {count} draws.",
            ),
            comparisons=(
                *(
                    _compared(hidden, layer, ranges[hidden][:, layer])
                    for hidden in _PUBLISHED
                    for layer in range(hidden)
                ),
                *(_ratio(hidden, ratios[hidden]) for hidden in _PUBLISHED),
                Comparison(
                    "time of a draw, one example after the other in NumPy, over ours",
                    slow / each,
                    form=".3g",
                    timed=True,
                ),
            ),
            pictures=(_network(setting), _bars(ranges)),
            settings={
                "networks": "784-30-...-30-10, sigmoid, weights N(0, 1/inputs), biases N(0, 1)",
                "speed": "norm of the mean over the first 1000 training images of dC/db of the layer",
                "here": "median of the draws; spread: the 5th to the 95th percentile",
                "draws": f"{count}, seeds from {setting.seed}",
                "precision": "float32",
            },
            notes=(
                "The book gives one draw and no seed, so that its numbers cannot come out again: each is held against "
                "the range from the 5th to the 95th percentile of 200 draws of our own earlier measurement. The "
                "published numbers lie in these ranges, and our median must.",
            ),
        )


def ensemble(hidden: int, count: int, setting: Setting) -> Floats:
    """Return the speeds of the hidden layers of many initialisations, ``[hidden, count]``.

    Args:
        hidden: Hidden layers.
        count: How many.
        setting: The first seed, and where they are computed.
    """
    images, labels = (part[:_IMAGES].to(setting.device) for part in load_mnist("train"))
    x, y = images.T.contiguous(), one_hot(labels)
    found = []
    for first in range(setting.seed, setting.seed + count, _TOGETHER):
        networks = Networks(hidden, range(first, min(first + _TOGETHER, setting.seed + count)), setting.device)
        found.append(speeds(networks.deltas(networks.activations(x), y)))
    setting.say(f"{hidden} hidden layers, {count} draws")
    return np.concatenate(found, 1)


def _compared(hidden: int, layer: int, numbers: Floats) -> Comparison:
    low, median, high = (float(v) for v in numbers)
    return Comparison(
        f"{hidden} hidden, speed of layer {layer + 1}",
        median,
        f"{low:.2g} to {high:.2g}",
        f"{_PUBLISHED[hidden][layer]:.6f}",
        REPOSITORY,
        band=_BANDS[hidden][layer],
        form=".4f",
    )


def _ratio(hidden: int, numbers: Floats) -> Comparison:
    low, median, high = (float(v) for v in numbers)
    published = _PUBLISHED[hidden][-1] / _PUBLISHED[hidden][0]
    return Comparison(
        f"{hidden} hidden, last over first",
        median,
        f"{low:.3g} to {high:.3g}",
        f"{published:.1f}",
        f"{REPOSITORY}, quotient of the two",
        form=".1f",
    )


def _units(hidden: int, setting: Setting) -> list[Column]:
    images, labels = (part[:_IMAGES] for part in load_mnist("train"))
    networks = Networks(hidden, [setting.seed])
    deltas = networks.deltas(networks.activations(images.T.contiguous()), one_hot(labels))
    columns = []
    for number, delta in enumerate(deltas[:-1]):
        units = delta[0].mean(-1).abs()
        columns.append(
            Column(f"hidden {number + 1}", tuple(units.tolist()), len(units), float(torch.linalg.norm(units)))
        )
    return columns


def _network(setting: Setting) -> Picture:
    nets = {hidden: _units(hidden, setting) for hidden in (2, 4)}
    title = "Two networks and the speeds of their units"
    caption = (
        "A circle is a hidden unit, a column is a layer, input on the left. The bar is how fast the unit's bias would "
        "move; each network has its own scale, given by the bar above it. The number under a column is the whole "
        "layer's speed. Lines are a sample of the connections. First seed."
    )

    def draw(name: str, width: float) -> str:
        beside = width > 600
        heights = [panel_height(net) for net in nets.values()]
        svg = Svg(name, width, max(heights) if beside else sum(heights) + 16)
        shares = [0.36 * (width - 40), 0.64 * (width - 40)] if beside else [width, width]
        x = y = 0.0
        for (hidden, net), share, height in zip(nets.items(), shares, heights, strict=True):
            draw_panel(svg, net, f"{hidden} hidden layers", "", (x, y, share, height))
            x, y = (x + share + 40, y) if beside else (x, y + height + 16)
        return svg.render(title, caption)

    return Picture("depth-speed-network", title, caption, both(draw, "depth-speed-network"))


def _bars(ranges: dict[int, Floats]) -> Picture:
    rows = []
    for hidden, numbers in ranges.items():
        for layer in range(hidden):
            low, median, high = (float(v) for v in numbers[:, layer])
            published = _PUBLISHED[hidden][layer]
            name = f"{hidden} hidden, layer {layer + 1}"
            rows += [
                Bar(f"{name}, here", median, low, high, 0, f"{median:.4f}"),
                Bar(f"{name}, published", published, colour=1, note=f"{published:.4f}"),
            ]
    return bars(
        "depth-speed-bars",
        "Speeds of the layers",
        "Median of all initialisations, with whiskers from the 5th to the 95th percentile, above the one published "
        "draw. The scale is logarithmic.",
        rows,
        Axis("norm of the mean gradient of the biases, logarithmic scale", "log", limits=(0.0005, 1.0)),
        [(0, "here"), (1, "published, one draw")],
    )
