"""Which line of the user's program made this call: the innermost frame that is neither a library's nor ours."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from dataclasses import dataclass
from types import FrameType

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's program, with the file as the user would write it."""

    file: str
    line: int


@functools.cache
def _library_roots() -> tuple[str, ...]:
    """Folders whose code is not the user's: the standard library and every ``site-packages``."""
    paths = {sysconfig.get_paths().get(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {entry for entry in sys.path if entry.rstrip(os.sep).endswith(("site-packages", "dist-packages"))}
    torch = sys.modules.get("torch")
    if torch is not None and torch.__file__:
        paths.add(os.path.dirname(torch.__file__))
    return (_OURS, *(os.path.realpath(path) + os.sep for path in paths if path), *(p + os.sep for p in paths if p))


@functools.lru_cache(maxsize=4096)
def is_user_file(filename: str) -> bool:
    """Whether code of this file is the user's own; generated code (``<string>``) is not, a notebook's cell is."""
    if filename.startswith("<"):
        return filename.startswith("<ipython-input")
    return not filename.startswith(_library_roots()) and "<" not in filename


def user_line(frame: FrameType | None = None) -> Line | None:
    """Return the innermost line of the user's program on the stack, or None where only libraries are on it.

    Args:
        frame: Frame to start from; the caller's where it is None.
    """
    current: FrameType | None = frame if frame is not None else sys._getframe(1)
    while current is not None:
        if is_user_file(current.f_code.co_filename):
            return Line(shown(current.f_code.co_filename), current.f_lineno)
        current = current.f_back
    return None


def user_frame() -> FrameType | None:
    """Return the innermost frame of the user's program on the stack, or None."""
    current: FrameType | None = sys._getframe(1)
    while current is not None and not is_user_file(current.f_code.co_filename):
        current = current.f_back
    return current


#: Where the program was started: paths are shown relative to it even after the program changed directory.
_START = os.getcwd()


@functools.lru_cache(maxsize=4096)
def shown(filename: str) -> str:
    """Return the path relative to the folder that the program was started in where it lies below it."""
    path = os.path.join(_START, filename)
    relative = os.path.relpath(path, _START)
    return filename if relative.startswith("..") else relative
