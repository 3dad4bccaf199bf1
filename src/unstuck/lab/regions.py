"""Maps of what a classifier says where, in small panels side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unstuck.lab.plots import COLOURS, Floats
from unstuck.report.pictures.picture import Key, Picture, both
from unstuck.report.pictures.svg import Svg

#: Cells of a map in each direction, room above a panel, and between panels.
_CELLS, _HEAD, _GAP = 78, 22.0, 12.0


@dataclass(frozen=True)
class Panel:
    """One map.

    Attributes:
        title: What it shows, short.
        inside: Takes points ``[n, 2]`` and says of each whether it is in the class that is shaded.
    """

    title: str
    inside: Callable[[Floats], NDArray[np.bool_]]


def regions(
    name: str, title: str, caption: str, panels: Sequence[Panel], shaded: Floats, other: Floats, reach: float
) -> Picture:
    """Draw maps of the same square.

    Args:
        name: Unique in the page, beginning with the experiment's name.
        title: Heading.
        caption: How to read it.
        panels: The maps; an even number looks best.
        shaded: Points of the class that is shaded, ``[n, 2]``.
        other: Points of the other class.
        reach: The square goes from minus to plus this in both directions.

    Returns:
        The picture.
    """
    centres = (np.arange(_CELLS) + 0.5) / _CELLS * 2 * reach - reach
    grid = np.stack(np.meshgrid(centres, -centres), -1).reshape(-1, 2)
    maps = [panel.inside(grid).reshape(_CELLS, _CELLS) for panel in panels]

    def draw(name: str, width: float) -> str:
        columns = min(len(panels), 4 if width > 600 else 2)
        side = (width - _GAP * (columns - 1)) / columns
        rows = -(-len(panels) // columns)
        svg = Svg(name, width, rows * (side + _HEAD + _GAP) - _GAP)
        for place, (panel, cells) in enumerate(zip(panels, maps, strict=True)):
            left, top = place % columns * (side + _GAP), place // columns * (side + _HEAD + _GAP)
            svg.text(left, top + 14, panel.title, "start", "strong")
            _map(svg, cells, left, top + _HEAD, side)
            for points, class_ in ((shaded, f"dot {COLOURS[0]}"), (other, f"ring {COLOURS[1]}")):
                for x, y in (points / reach + 1) / 2 * side:
                    svg.add("circle", cx=left + x, cy=top + _HEAD + side - y, r=1.8, class_=class_)
        return svg.render(title, caption)

    keys = (Key(COLOURS[0], "dots: the class that is shaded"), Key(COLOURS[1], "rings: the other class"))
    return Picture(name, title, caption, both(draw, name), keys)


def _map(svg: Svg, cells: NDArray[np.bool_], left: float, top: float, side: float) -> None:
    cell = side / _CELLS
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False])).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            place = {"x": left + start * cell, "y": top + row * cell, "width": (end - start) * cell, "height": cell}
            svg.add("rect", **{key: f"{value:.2f}" for key, value in place.items()}, class_=f"band {COLOURS[0]}")
    frame = f"M{left:.1f} {top:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}Z"
    svg.add("path", d=frame, class_="axis", fill="none")
