"""The page of one experiment, or of all: one file that needs no network and no JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jinja2
from markupsafe import Markup

from unstuck.lab.experiment import Performed
from unstuck.report import words


def render(performed: Sequence[Performed]) -> str:
    """Return the page.

    Args:
        performed: The experiments that were run, in their order.
    """
    return _environment().get_template("lab.html.j2").render(performed=performed, style=Markup(_style()))  # noqa: S704


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.ChoiceLoader(
        [jinja2.PackageLoader("unstuck.lab", "templates"), jinja2.PackageLoader("unstuck.report", "templates")]
    )
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(clean=words.clean, duration=words.duration, plural=words.plural, svg=Markup)
    return environment


@cache
def _style() -> str:
    environment = _environment()
    assert environment.loader is not None
    return "\n".join(environment.loader.get_source(environment, name)[0] for name in ("report.css", "lab.css"))
