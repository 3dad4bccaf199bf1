"""Replacing attributes of torch, and putting every one of them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_INHERITED = object()


class Patches:
    """A pile of replaced attributes; :meth:`restore` takes the pile down in reverse, leaving torch as it was."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace ``owner.name`` by ``make(original)``.

        Class attributes are taken from the class's own dictionary, so that a ``staticmethod`` or ``classmethod`` comes
        back as the very object that was there.

        Args:
            owner: Module or class.
            name: Attribute of it.
            make: Gets the callable that is there now, returns the one to put there.
        """
        original = vars(owner)[name]
        callable_ = original.__func__ if isinstance(original, (staticmethod, classmethod)) else original
        replacement = make(callable_)
        if isinstance(original, (staticmethod, classmethod)):
            replacement = type(original)(replacement)
        setattr(owner, name, replacement)
        self._replaced.append((owner, name, original, replacement))

    def shadow(self, owner: type, name: str, replacement: Any) -> None:
        """Put ``replacement`` before an attribute that a class inherits.

        Args:
            owner: The class, which has no such attribute of its own.
            name: The attribute.
            replacement: What to put there, a ``classmethod`` for one.
        """
        setattr(owner, name, replacement)
        self._replaced.append((owner, name, _INHERITED, replacement))

    def restore(self) -> None:
        """Put back all that was replaced; what somebody else has put over ours meanwhile stays."""
        while self._replaced:
            owner, name, original, replacement = self._replaced.pop()
            if vars(owner).get(name) is not replacement:
                continue
            if original is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
