"""Calling a function once a module has been imported, whenever that is: a trial imports nothing on its own account."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

OnImport = Callable[[Any], None]


class _Watch(MetaPathFinder):
    """Finder that gives the other finders' answer, with a trip wire in it for the modules that are waited for."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[OnImport]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the modules that are waited for, and for no other."""
        if name not in self.waiting:
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None:
                    with contextlib.suppress(AttributeError):  # a loader that takes no attributes: it goes unwatched
                        self._lay(name, spec.loader)
                return spec
        return None

    def _lay(self, name: str, loader: Loader) -> None:
        execute = loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == name:  # some loaders are one object for many modules
                for function in self.waiting.pop(name, ()):
                    function(module)

        loader.exec_module = execute_and_call  # type: ignore[method-assign]


_watch = _Watch()


def when_imported(name: str, function: OnImport) -> None:
    """Call ``function(module)`` right after a module has been imported, at once where it has been already.

    Args:
        name: The module's full name.
        function: What to call.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        function(module)
        return
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)
    _watch.waiting.setdefault(name, []).append(function)
