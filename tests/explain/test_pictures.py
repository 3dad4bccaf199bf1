"""Every page has a picture that can be drawn, in a file and in a terminal, and that shows what its text says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from unstuck.explain.braille import to_text
from unstuck.explain.drawing import to_svg
from unstuck.explain.figure import Figure, curve, visible
from unstuck.explain.page import names
from unstuck.explain.pictures import PICTURES
from unstuck.report.pictures.plot import Span

SVG = "{http://www.w3.org/2000/svg}"


def line(*points: tuple[float, float], **options: bool) -> Figure:
    xs, ys = zip(*points, strict=True)
    return Figure(Span(0, 10), Span(0, 10), ("x", "y"), (curve("a", xs, ys, **options),))


def values(name: str) -> dict[str, np.ndarray]:
    return {one.label: one.ys for one in PICTURES[name]().curves}


def test_every_page_has_a_picture():
    assert sorted(PICTURES) == names()


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_xml_with_a_title_and_every_curve_in_sight(name):
    figure = PICTURES[name]()
    root = ElementTree.fromstring(to_svg(figure, name, "What it shows"))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == "What it shows"
    width, height = (float(root.get(key)) for key in ("width", "height"))
    texts = [(element.text, float(element.get("x")), float(element.get("y"))) for element in root.iter(f"{SVG}text")]
    assert {one.label for one in figure.curves} | set(figure.titles) <= {text for text, _, _ in texts}
    assert all(0 <= x <= width and 0 <= y <= height for _, x, y in texts)
    for one in figure.curves:
        assert sum(point is not None for point in visible(figure, one)) >= 2


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize("plain", [False, True])
def test_a_picture_fits_the_terminal(name, plain):
    lines = to_text(PICTURES[name](), 80, plain=plain)
    assert max(len(line.plain) for line in lines) <= 80
    assert sum(any(ord(c) >= 0x2800 if not plain else c in "*+o#" for c in line.plain) for line in lines) >= 4
    assert not plain or all(line.plain.isascii() for line in lines)


def test_dots_of_a_line_lie_where_its_points_do():
    rows = [line.plain for line in to_text(line((0, 0), (10, 10)), 45)][1:13]
    columns = [[column for column, cell in enumerate(row) if ord(cell) >= 0x2800] for row in rows]
    along = [column for row in reversed(columns) for column in row]
    assert along == sorted(along)  # from the lower left to the upper right
    assert set(along) == set(range(4, 45))


def test_a_line_is_lifted_where_its_points_are_outside():
    figure = line((0, 5), (2, 5), (4, 50), (6, float("nan")), (8, 5), (10, 5))
    assert [point is None for point in visible(figure, figure.curves[0])] == [False, False, True, True, False, False]
    (row,) = (row.plain for row in to_text(figure, 60)[1:13] if any(ord(c) >= 0x2800 for c in row.plain))
    assert "    " in row.partition("┤")[2].strip() or "    " in row.partition("│")[2].strip()


def test_points_are_drawn_one_by_one():
    root = ElementTree.fromstring(to_svg(line((1, 1), (5, 5), dots=True), "x", "t"))
    assert len(list(root.iter(f"{SVG}circle"))) == 3  # and one in the legend


def test_text_is_escaped():
    figure = Figure(Span(0, 1), Span(0, 1), ("<x>", "a & b"), (curve("<b>", [0, 1], [0, 1]),))
    root = ElementTree.fromstring(to_svg(figure, "x", "<t>"))
    assert {"<x>", "a & b", "<b>"} <= {element.text for element in root.iter(f"{SVG}text")}


# What the texts beside the pictures say about them.


def test_step_too_large_only_beyond_the_limit_the_loss_grows():
    small, below, above = values("step-too-large").values()
    assert small[5] < 0.01 * small[0]
    assert 1e-4 < below[-1] / below[0] < 0.1
    assert above[-1] > 10 * above[0]


def test_saddle_plateaus_grow_with_one_over_the_learning_rate():
    waits = [int(np.argmax(loss < 0.2)) for loss in values("saddle").values()]
    assert waits[1] / waits[0] == pytest.approx(4, rel=0.15)  # 0.2 against 0.05
    assert waits[2] == 0 or waits[2] > 2 * waits[1]


def test_weight_decay_above_the_curvature_kills_the_weights():
    none, some, much = values("weight-decay-too-strong").values()
    assert none[-1] < 1e-3
    assert some[-1] < 0.1
    assert much[-1] > 0.49


def test_vanishing_and_exploding_factors():
    sigmoid, tanh, relu = values("vanishing-gradient").values()
    assert sigmoid[0] ** (1 / 9) == pytest.approx(1 / 7, rel=0.25)
    assert 1e-3 < tanh[0] < 0.1
    assert 0.2 < relu[0] < 5
    large, larger = values("exploding-gradient")["1.5 times He's weights"], values("exploding-gradient")
    assert 15 < large[0] < 100
    assert larger["2.5 times He's weights"][0] > 1000


def test_bad_initialisation_changes_the_signal_by_powers_of_ten():
    large, good, small = (signal[-1] for signal in values("bad-initialisation").values())
    assert large / good == pytest.approx(3**10)
    assert good / small == pytest.approx(3**10)


def test_double_softmax_has_the_loss_that_the_page_says():
    figure = PICTURES["double-softmax"]()
    guess, twice, once = (dict(zip(one.xs, one.ys, strict=True))[10] for one in figure.curves)
    assert (round(guess, 2), round(twice, 2), once) == (2.30, 1.46, 0)


def test_wrong_gradient_only_a_bug_stays():
    right, kink, bug = values("wrong-gradient").values()
    assert right.min() < 1e-9
    assert kink[0] > 0.1
    assert kink.min() < 1e-8
    assert np.all((bug > 0.005) | (np.arange(len(bug)) < 2))


def test_a_handwritten_logarithm_is_infinite_where_the_other_is_not():
    stable, naive = values("not-finite").values()
    assert np.isfinite(stable).all()
    assert np.isnan(naive).any()
    assert np.isfinite(naive).any()


def test_shape_broadcast_ends_at_the_constant():
    right, wrong = values("shape-broadcast").values()
    assert right[-1] < 0.01
    assert wrong[-1] == pytest.approx(2, abs=0.05)


def test_low_precision_agrees_with_torch():
    torch = pytest.importorskip("torch")
    figure = PICTURES["low-precision"]()
    weights = torch.linspace(1, 2, 100_001)[:-1]
    for one, kind in zip(figure.curves, (torch.bfloat16, torch.float16, torch.float32), strict=True):
        for size, share in list(zip(one.xs, one.ys, strict=True))[::16]:
            stored = weights.to(kind)
            kept = (stored.double() * (1 + size)).to(kind) == stored
            assert float(kept.double().mean()) == pytest.approx(share, abs=0.02)
