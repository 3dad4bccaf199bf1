"""A figure as an SVG file of its own, readable on light and dark pages."""

from __future__ import annotations

from unstuck.explain.figure import Figure, visible
from unstuck.report.pictures.plot import Box, draw_axes
from unstuck.report.pictures.svg import Svg, text_width

_WIDTH, _HEIGHT, _MARGIN = 640.0, 320.0, 14.0
_ROW, _SAMPLE = 20.0, 26.0
_STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1d1f23}"
    ".tick{font-size:11px;fill:#5a5f69}.title{fill:#5a5f69}.paper{fill:#fff}"
    ".axis{stroke:#8b9099}.grid{stroke:#ebecef}.line{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".s1{stroke:#1f5fa8}.s2{stroke:#a84f00;stroke-dasharray:8 4}.s3{stroke:#00725a;stroke-dasharray:2 3}"
    ".s4{stroke:#7a3b93;stroke-dasharray:10 3 2 3}circle.dot{fill:none;stroke-width:3;stroke-dasharray:none}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e9eb}.tick,.title{fill:#a2a8b3}.paper{fill:#1c1f23}"
    ".axis{stroke:#777d87}.grid{stroke:#2a2e34}.s1{stroke:#82b4f2}.s2{stroke:#f0a860}.s3{stroke:#63d0aa}"
    ".s4{stroke:#d09ae3}}"
)


def to_svg(figure: Figure, name: str, title: str) -> str:
    """Draw a figure.

    Args:
        figure: What to draw.
        name: Name of the difficulty.
        title: What the picture shows, for those who cannot see it.

    Returns:
        An SVG document.
    """
    svg = Svg(name, _WIDTH, _HEIGHT)
    svg.add("style", _STYLE)
    svg.add("rect", width=_WIDTH, height=_HEIGHT, class_="paper")
    top = _legend(svg, figure)
    box = Box(_MARGIN, top, _WIDTH - _MARGIN, _HEIGHT - 8)
    plot = draw_axes(svg, box, figure.x, figure.y, figure.titles)
    for index, one in enumerate(figure.curves):
        points = [None if p is None else (plot.x(p[0]), plot.y(p[1])) for p in visible(figure, one)]
        if one.dots:
            for point in filter(None, points):
                svg.add("circle", cx=point[0], cy=point[1], r=1.5, class_=f"dot s{index + 1}")
        else:
            svg.path(points, f"line s{index + 1}")
    labels = "; ".join(one.label for one in figure.curves)
    markup = svg.render(title, f"{figure.titles[1]} by {figure.titles[0]}: {labels}")
    size = f'xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}"'
    return markup.replace('<svg class=""', f"<svg {size}", 1) + "\n"


def _legend(svg: Svg, figure: Figure) -> float:
    """Draw the samples with their labels in as many rows as they need, and return where the plot may begin."""
    x, y = _MARGIN, _MARGIN + 6
    for index, one in enumerate(figure.curves):
        needed = _SAMPLE + 8 + text_width(one.label)
        if x > _MARGIN and x + needed > _WIDTH - _MARGIN:
            x, y = _MARGIN, y + _ROW
        if one.dots:
            svg.add("circle", cx=x + _SAMPLE / 2, cy=y, r=1.5, class_=f"dot s{index + 1}")
        else:
            svg.path([(x, y), (x + _SAMPLE, y)], f"line s{index + 1}")
        svg.text(x + _SAMPLE + 6, y + 4, one.label)
        x += needed + 10
    return y + 12
