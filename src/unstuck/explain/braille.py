"""A figure in a terminal: eight dots to a character where it can write them, a sign per curve where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from unstuck.explain.figure import Curve, Figure, visible

#: Bits of the dots of a character of the block U+2800, by row and column.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
#: How many dots of a line are drawn and how many left out, by the place of the curve: solid, dashed, dotted, long.
_DASHES = ((1, 0), (5, 3), (1, 2), (10, 2))
_COLOURS = ("blue", "yellow", "green", "magenta")
_SIGNS = "*+o#"
_ROWS, _SAMPLE = 12, 4
#: Axis at a tick, between ticks, in the corner, below, and below at a tick.
_FRAMES = {False: ("┤", "│", "└", "─", "┬"), True: ("+", "|", "+", "-", "+")}

Point = tuple[float, float]


def to_text(figure: Figure, width: int, *, plain: bool = False) -> list[Text]:
    """Draw a figure with characters.

    Args:
        figure: What to draw.
        width: Number of columns, at least 30.
        plain: Use ASCII only.

    Returns:
        The lines, none longer than ``width`` unless a label is.
    """
    tick, side, corner, floor, foot = _FRAMES[plain]
    y = figure.y.scale(4 * _ROWS - 0.5, 0.5)
    labels = {int(y(value)) // 4: label for value, label in reversed(y.ticks(10))}
    margin = max(map(len, labels.values()), default=0)
    columns = width - margin - 2
    x = figure.x.scale(0.5, 2 * columns - 0.5)
    grid = _Grid(columns, _ROWS)
    for index, one in enumerate(figure.curves):
        grid.draw(index, [None if p is None else (x(p[0]), y(p[1])) for p in visible(figure, one)], one.dots)
    lines = [Text(figure.titles[1], "dim")]
    for row in range(_ROWS):
        label = labels.get(row, "")
        lines.append(Text.assemble((f"{label:>{margin}} {tick if label else side}", "dim"), grid.row(row, plain)))
    floors, numbers = _below([(int(x(value)) // 2, label) for value, label in x.ticks(20)], columns, floor, foot)
    lines += [Text(f"{'':{margin}} {corner}{floors}", "dim"), Text(f"{'':{margin + 2}}{numbers}", "dim")]
    lines.append(Text(figure.titles[0].rjust(width), "dim"))
    lines += [_key(index, one, plain) for index, one in enumerate(figure.curves)]
    for line in lines:
        line.rstrip()
    return lines


class _Grid:
    """Characters of dots, with the curve that each dot belongs to."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._dots: dict[tuple[int, int], int] = {}

    def draw(self, index: int, points: Sequence[Point | None], dots: bool) -> None:
        """Draw a curve through points given in dots, or squares at the points; what is there already stays."""
        on, off = (1, 0) if dots else _DASHES[index % len(_DASHES)]
        for number, (x, y) in enumerate(_squares(points) if dots else _way(points)):
            if number % (on + off) < on and 0 <= x < 2 * self._columns and 0 <= y < 4 * self._rows:
                self._dots.setdefault((x, y), index)

    def row(self, row: int, plain: bool) -> Text:
        """Return a row of characters, each in the colour of the first curve that passes it."""
        text = Text()
        for column in range(self._columns):
            dots = [(dx, dy) for dy in range(4) for dx in range(2) if (2 * column + dx, 4 * row + dy) in self._dots]
            if not dots:
                text.append(" ")
                continue
            first = min(self._dots[2 * column + dx, 4 * row + dy] for dx, dy in dots)
            sign = _SIGNS[first % len(_SIGNS)] if plain else chr(0x2800 + sum(_BITS[dy][dx] for dx, dy in dots))
            text.append(sign, _COLOURS[first % len(_COLOURS)])
        return text


def _way(points: Sequence[Point | None]) -> Iterator[tuple[int, int]]:
    """Yield every dot on the way through the points, once; None lifts the pen."""
    last, seen = None, None
    for point in points:
        if point is not None:
            x, y = point if last is None else last
            count = max(1, int(2 * max(abs(point[0] - x), abs(point[1] - y))))
            for i in range(count + 1):
                here = int(x + (point[0] - x) * i / count), int(y + (point[1] - y) * i / count)
                if here != seen:
                    yield here
                seen = here
        last = point


def _squares(points: Sequence[Point | None]) -> Iterator[tuple[int, int]]:
    for x, y in filter(None, points):
        yield from ((int(x) + dx, int(y) + dy) for dx in (0, 1) for dy in (0, 1))


def _below(ticks: Sequence[tuple[int, str]], columns: int, floor: str, foot: str) -> tuple[str, str]:
    """Return the horizontal axis and the numbers under it; one that would touch the one before is left out."""
    marks, numbers = [floor] * columns, ""
    for column, label in ticks:
        start = min(max(0, column - len(label) // 2), columns - len(label))
        if start >= len(numbers) + bool(numbers):
            numbers = numbers.ljust(start) + label
            marks[column] = foot
    return "".join(marks), numbers


def _key(index: int, one: Curve, plain: bool) -> Text:
    """Return a line of the legend: a piece of the curve, and what it stands for."""
    sample = _Grid(_SAMPLE, 1)
    ends = [(_SAMPLE - 1.0, 1.0)] if one.dots else [(0.0, 1.0), (2.0 * _SAMPLE - 1, 1.0)]
    sample.draw(index, ends, one.dots)
    return Text.assemble("  ", sample.row(0, plain), f"  {one.label}")
