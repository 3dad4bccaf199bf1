"""Modules that another process would not find by their names, as some tests' are: they travel as they are."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from unstuck.attach.sources import is_user_file


@contextlib.contextmanager
def by_value() -> Iterator[None]:
    """Let cloudpickle copy what is in modules of the user's that a new process could not import.

    Yields:
        Once, while it does.
    """
    given = [module for name, module in list(sys.modules.items()) if _is_lost(name, module)]
    known = set(cloudpickle.list_registry_pickle_by_value())
    ours = [module for module in given if module.__name__ not in known]
    for module in ours:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in ours:
            cloudpickle.unregister_pickle_by_value(module)


def _is_lost(name: str, module: ModuleType) -> bool:
    """Whether a module is the user's, and its name leads to no module or to another one."""
    file = vars(module).get("__file__")
    if (
        name != vars(module).get("__name__")
        or name == "__main__"
        or not isinstance(file, str)
        or not is_user_file(file)
    ):
        return False
    spec = _found(name)
    return spec is None or spec.origin is None or not _same(spec.origin, file)


def _found(name: str) -> ModuleSpec | None:
    """Return the spec that a new process would find, whatever is in memory here."""
    path: Any = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        spec = _ask_all(".".join(parts[:count]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and count < len(parts):
            return None
    return spec


def _ask_all(name: str, path: Any) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, None) if find is not None else None
        if spec is not None:
            return spec
    return None


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return one == other
