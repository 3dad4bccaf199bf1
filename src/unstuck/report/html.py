"""``report.html``: one file that needs no network and no JavaScript."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import jinja2
from markupsafe import Markup

from unstuck.difficulties.finding import Diagnosis
from unstuck.record import Run
from unstuck.report import facts, words
from unstuck.report.as_json import to_json
from unstuck.report.effects import beside, effect, printed, raced_by
from unstuck.report.outline import Outline, outline
from unstuck.report.patch import patch_of
from unstuck.report.pictures import OF_TRIALS, PICTURES, Missing, Picture
from unstuck.report.trials import trials_of
from unstuck.trials.by_hand import not_tried


def render(run: Run, diagnosis: Diagnosis) -> str:
    """Return the report as one HTML page; whatever comes from the program is escaped.

    Args:
        run: The run.
        diagnosis: What its record says.

    Returns:
        The page, self-contained.
    """
    findings = outline(diagnosis)
    drawn = [_drawn(draw, run, findings) for draw in PICTURES]
    trials = trials_of(run)
    of_trials = [_drawn(draw, run, findings) for draw in OF_TRIALS] if trials is not None else []
    return _template().render(
        run=run,
        diagnosis=diagnosis,
        findings=findings,
        pictures=[p for p in drawn if isinstance(p, Picture)],
        missing=[p for p in (*of_trials, *drawn) if isinstance(p, Missing)],
        trials=trials,
        patch=patch_of(run, trials),
        trial_pictures=[p for p in of_trials if isinstance(p, Picture)],
        not_tried=not_tried(diagnosis),
        facts=facts,
        data=_data(run, diagnosis),
        style=Markup(_style()),  # noqa: S704  (a file of ours)
    )


def _drawn(draw: Callable[[Run, Outline], Picture | Missing], run: Run, findings: Outline) -> Picture | Missing:
    """A record that a picture did not expect must not cost the reader the verdict: the page says what went wrong."""
    try:
        return draw(run, findings)
    except Exception as error:
        name = draw.__module__.rpartition(".")[2]
        return Missing(f"Picture: {name}", f"It could not be drawn, which is a fault of unstuck: {error!r}.")


def _data(run: Run, diagnosis: Diagnosis) -> Markup:
    """The report as JSON for a script element, where nothing may look like markup."""
    text = json.dumps(to_json(run, diagnosis), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _evidence(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_evidence(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{words.clean(key)} {_evidence(item)}" for key, item in value.items())
    return (
        words.number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else words.clean(value)
    )


def _lines(text: object) -> str:
    return "\n".join(words.clean(line) if line.strip() else "" for line in str(text).splitlines())


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("unstuck.report", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        clean=words.clean,
        cost=words.cost,
        evidence=_evidence,
        lines=_lines,
        count=words.count,
        duration=words.duration,
        percent=words.percent,
        plural=words.plural,
        place=words.place,
        beside=beside,
        effect=effect,
        printed=printed,
        raced_by=raced_by,
        title_of=words.title,
        svg=Markup,  # drawn by our own functions, which escape
    )
    return environment.get_template("report.html.j2")


@cache
def _style() -> str:
    loader = jinja2.PackageLoader("unstuck.report", "templates")
    source, _, _ = loader.get_source(jinja2.Environment(autoescape=True), "report.css")
    return source
