"""The files of a trial: what the program writes goes to the trial's folder, and the user's files keep their bytes.

The functions of Python that open, make, move and remove files are replaced, so that the program finds what it has
written where it wrote it, and does not find what it has removed. What is not covered: programs that are not Python
and are started by this one, libraries that open files in a language of their own (but for torch, safetensors, sqlite
and OpenCV), Python's imports, and calls relative to the number of an open folder. What one process has removed, its
children that are no forks of it still see.

Written as ever are the trial's own folder, the system's devices, its folder for temporary files, and caches: those in
``~/.cache``, those of compilers, and those that a variable of the environment names.
"""

# os.path on purpose: it is what is replaced here.
# ruff: noqa: PTH100, PTH111

from __future__ import annotations

import builtins
import io
import os
import shutil
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from unstuck.trials.inside import libraries, raw
from unstuck.trials.inside.changes import Changes
from unstuck.trials.inside.listing import Listing
from unstuck.trials.inside.overlay import Overlay

Function = Callable[..., Any]

#: Variable that holds the folder that the program was started in, for its children, which may start elsewhere.
_ROOT = "UNSTUCK_TRIAL_ROOT"
_SYSTEM = ("/dev", "/proc", "/sys", "/run", "~/.cache", "~/.triton", "~/.nv")
_CACHES = (
    "CUDA_CACHE_PATH HF_HOME HF_HUB_CACHE MPLCONFIGDIR NUMBA_CACHE_DIR PYTHONPYCACHEPREFIX TORCHINDUCTOR_CACHE_DIR "
    "TORCH_EXTENSIONS_DIR TORCH_HOME TRITON_CACHE_DIR TRITON_HOME XDG_CACHE_HOME"
).split()
#: What Python and torch make in the folder for temporary files, where that is the program's folder too.
_TEMPORARY = ("tmp", "pymp-", "torch")
#: Functions of ``os`` that read, and those that change what is there. Not all systems have all of them.
_READING = "stat access statvfs getxattr listxattr pathconf".split()
_CHANGING = "truncate chmod utime chown setxattr removexattr".split()
#: Modules and classes of the standard library that took functions for their own before we came.
_HOLDERS = "bz2 tarfile tempfile:_TemporaryFileCloser pathlib:_NormalAccessor glob:_Globber glob:_StringGlobber".split()

_overlay: Overlay | None = None


def redirect(to: Path) -> None:
    """Send what this process writes to a folder, from now on.

    Args:
        to: The folder, in the trial's own; made when something is written.
    """
    global _overlay
    folder = os.path.realpath(to)
    root = os.environ.setdefault(_ROOT, raw.getcwd())
    _overlay = overlay = Overlay(folder, root, _excluded(str(Path(folder).parent), root))
    replaced: dict[Any, Function] = {}
    for name, make in _replacements(overlay):
        original = getattr(os, name, None)
        if original is not None:
            replaced[original] = _named(make(original), original, "os")
            setattr(os, name, replaced[original])
    replaced[io.open] = builtins.open = io.open = _named(_open(io.open, overlay), io.open, "io")
    for known in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        known.update([new for old, new in replaced.items() if old in known])
    for holder in _HOLDERS:
        _refit(holder, replaced)
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # rmtree by paths, not by numbers of folders
    libraries.redirect(overlay)


def redirect_torch() -> None:
    """Send what torch writes on its own there too, right after its import."""
    if _overlay is not None:
        libraries.redirect_torch(_overlay)


def _replacements(overlay: Overlay) -> Iterator[tuple[str, Callable[[Function], Function]]]:
    changes, listing = Changes(overlay), Listing(overlay)
    yield from ((name, lambda original: _reading(original, overlay)) for name in _READING)
    yield "lstat", lambda original: _reading(original, overlay, follow=False)
    yield "readlink", lambda original: _readlink(original, overlay)
    yield from ((name, lambda original: _changing(original, overlay)) for name in _CHANGING)
    yield from ((name, changes.make) for name in ("mkdir", "mkfifo", "mknod"))
    yield from ((name, changes.remove) for name in ("remove", "unlink"))
    yield from ((name, changes.rename) for name in ("rename", "replace"))
    yield from (("rmdir", changes.rmdir), ("link", changes.link), ("symlink", changes.symlink))
    yield from (("listdir", listing.listdir), ("scandir", listing.scandir))
    yield "open", lambda original: _os_open(original, overlay)
    yield "chdir", lambda original: _chdir(original, overlay)
    yield "getcwd", lambda original: lambda: overlay.own(original())


def _refit(holder: str, replaced: dict[Any, Function]) -> None:
    """Put the replacements into a module or class that holds originals, be it as default values of its functions."""
    module, _, name = holder.partition(":")
    owner: Any = sys.modules.get(module)
    if name:
        owner = getattr(owner, name, None)
    for name, held in list(vars(owner).items()) if owner else ():
        value = held.__func__ if isinstance(held, staticmethod) else held
        if isinstance(value, types.BuiltinFunctionType) and value in replaced:
            setattr(owner, name, staticmethod(replaced[value]) if isinstance(owner, type) else replaced[value])
        elif isinstance(value, types.FunctionType) and value.__defaults__:
            value.__defaults__ = tuple(
                replaced.get(default, default) if isinstance(default, types.BuiltinFunctionType) else default
                for default in value.__defaults__
            )


def _named(function: Function, original: Function, module: str) -> Function:
    """Give a function the name of the original, and the module that pickle finds it in."""
    function.__name__ = function.__qualname__ = original.__name__
    function.__module__, function.__doc__ = module, original.__doc__
    return function


def _excluded(trial: str, root: str) -> set[str]:
    """Return beginnings of paths that are written as ever."""
    folders = [trial, tempfile.gettempdir(), *(os.path.expanduser(name) for name in _SYSTEM)]
    folders += [os.environ[name] for name in _CACHES if os.environ.get(name)]
    whole = {os.path.abspath(folder) for folder in folders} | {os.path.realpath(folder) for folder in folders}
    beginnings = {f"{folder}/" for folder in whole if folder not in ("/", root)}
    return beginnings | {f"{root}/{name}" for name in _TEMPORARY if root in whole}


def _open(original: Function, overlay: Overlay) -> Function:
    def open(file: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(mode, str) and not {"w", "a", "x", "+"}.isdisjoint(mode):
            return original(overlay.written(file, keep="w" not in mode, new="x" in mode), mode, *args, **kwargs)
        return original(overlay.seen(file), mode, *args, **kwargs)

    return open


def _os_open(original: Function, overlay: Overlay) -> Function:
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is None and flags & writing:
            path = overlay.written(path, keep=not flags & os.O_TRUNC, new=bool(flags & os.O_EXCL))
        elif dir_fd is None:
            path = overlay.seen(path)
        return int(original(path, flags, mode, dir_fd=dir_fd))

    return open


def _reading(original: Function, overlay: Overlay, *, follow: bool = True) -> Function:
    def read(path: Any = None, *args: Any, **kwargs: Any) -> Any:
        if path is None:
            return original(*args, **kwargs)
        if kwargs.get("dir_fd") is not None:
            return original(path, *args, **kwargs)
        return original(overlay.seen(path, follow=follow and kwargs.get("follow_symlinks", True)), *args, **kwargs)

    return read


def _readlink(original: Function, overlay: Overlay) -> Function:
    read = _reading(original, overlay, follow=False)

    def readlink(path: Any, **kwargs: Any) -> Any:
        target = read(path, **kwargs)
        return overlay.own(target) if isinstance(target, str) else target

    return readlink


def _changing(original: Function, overlay: Overlay) -> Function:
    def change(path: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("dir_fd") is not None:
            return original(path, *args, **kwargs)
        follow = kwargs.get("follow_symlinks", True)
        return original(overlay.written(path, keep=True, folders=True, follow=follow), *args, **kwargs)

    return change


def _chdir(original: Function, overlay: Overlay) -> Function:
    def chdir(path: Any) -> None:
        place = overlay.followed(path)
        mine = place is not None and overlay.mode(place[0]) is None
        original(path if place is None else place[mine])
        overlay.away = mine

    return chdir
