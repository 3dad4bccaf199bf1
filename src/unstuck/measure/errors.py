"""How a measurement says that it does not apply."""

from __future__ import annotations

from unstuck.errors import UnstuckError


class NotMeasurable(UnstuckError):
    """A measurement does not apply to this step; the message is one clause that says why."""
