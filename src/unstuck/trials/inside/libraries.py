"""Functions of libraries that open files in a language of their own, given the paths of the trial's layer."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from unstuck.trials.inside.imports import when_imported
from unstuck.trials.inside.overlay import Overlay

#: Module and perhaps class, function, name and position of the argument that is a path, and whether it is written to.
_PATHS = (
    ("safetensors", "serialize_file", "filename", 1, True),
    ("safetensors", "safe_open", "filename", 0, False),
    ("cv2", "imwrite", "filename", 0, True),
    ("cv2", "imread", "filename", 0, False),
)
_TORCH_PATHS = (
    ("torch.serialization", "save", "f", 1, True),
    ("torch", "save", "f", 1, True),
    ("torch.serialization", "load", "f", 0, False),
    ("torch", "load", "f", 0, False),
    ("torch.jit", "save", "f", 1, True),
    ("torch.jit", "load", "f", 0, False),
    ("torch.jit:RecursiveScriptModule", "save", "f", 1, True),
    ("torch.jit:ScriptModule", "save", "f", 1, True),
    ("torch.export", "save", "f", 1, True),
    ("torch.export", "load", "f", 0, False),
    ("torch.package:PackageExporter", "__init__", "f", 1, True),
    ("torch.package:PackageImporter", "__init__", "file_or_buffer", 1, False),
    ("torch.autograd.profiler:profile", "export_chrome_trace", "path", 1, True),  # torch.profiler's calls it
)


def redirect(overlay: Overlay) -> None:
    """Replace the functions of libraries as soon as they are imported.

    Args:
        overlay: The layers.
    """
    for module, *what in _PATHS:
        when_imported(module, functools.partial(_replace, what, overlay))
    for module in ("sqlite3", "sqlite3.dbapi2"):
        when_imported(module, lambda module: setattr(module, "connect", _connect(module.connect, overlay)))


def redirect_torch(overlay: Overlay) -> None:
    """Replace torch's functions, which write and read by C++ what they are given by its path.

    Args:
        overlay: The layers.
    """
    for owner, *what in _TORCH_PATHS:
        name, _, within = owner.partition(":")
        replace = functools.partial(_replace_in, within, what, overlay)
        if name in sys.modules:  # torch itself is still being imported, as Python sees it
            replace(sys.modules[name])
        else:
            when_imported(name, replace)


def _replace_in(within: str, what: Any, overlay: Overlay, module: Any) -> None:
    _replace(what, overlay, getattr(module, within) if within else module)


def _replace(what: Any, overlay: Overlay, owner: Any) -> None:
    function, argument, position, writes = what
    where = overlay.written if writes else overlay.seen
    setattr(owner, function, _with_path(getattr(owner, function), argument, position, where))


def _with_path(original: Any, argument: str, position: int, where: Callable[[Any], Any]) -> Any:
    """Return a function with one of its arguments changed, unless that is an open file."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if argument in kwargs:
            kwargs[argument] = where(kwargs[argument])
        elif len(args) > position:
            args = (*args[:position], where(args[position]), *args[position + 1 :])
        return original(*args, **kwargs)

    return call


def _connect(original: Any, overlay: Overlay) -> Any:
    """Return ``sqlite3.connect`` for databases of the trial; one of the user's is copied first."""

    @functools.wraps(original)
    def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
        if database == ":memory:":
            return original(database, *args, **kwargs)
        if kwargs.get("uri") and isinstance(database, str) and database.startswith("file:"):
            path, mark, options = database[5:].partition("?")
            path = path[2:] if path.startswith("///") else path
            if path != ":memory:" and "mode=memory" not in options:
                database = f"file:{quote(str(overlay.written(unquote(path), keep=True)))}{mark}{options}"
            return original(database, *args, **kwargs)
        return original(overlay.written(database, keep=True), *args, **kwargs)

    return connect
