"""Keeping warnings about our own calculations from the program's standard error, and from its memory of warnings."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

_IGNORE = ("ignore", None, Warning, None, 0)


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    """Let nothing be warned about while entered.

    ``warnings.catch_warnings`` would do that too, and make Python forget which warnings of the program it has shown
    already: they would all be shown again after every probe.

    Yields:
        Once.
    """
    filters: list[object] = warnings.filters  # type: ignore[assignment]
    filters.insert(0, _IGNORE)
    try:
        yield
    finally:
        if _IGNORE in filters:
            filters.remove(_IGNORE)
