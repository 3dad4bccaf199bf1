"""What the process of a packed function does: the caller's paths, the function's source, then the function."""

from __future__ import annotations

import functools
import linecache
import os
import pickle
import sys
import traceback
from types import TracebackType
from typing import Any


def run(file: str) -> None:
    """Run a function that :func:`unstuck.fixing.packing.pack` has written.

    Args:
        file: The file.
    """
    if os.environ.get("UNSTUCK_TRIAL") != "1":  # a trial holds it since its very start
        from unstuck.trials.inside import lifeline

        lifeline.hold()
    with open(file, "rb") as packed:  # noqa: PTH123  (pathlib is not there yet in a trial, and need not be)
        kept: dict[str, Any] = pickle.load(packed)
    sys.path[:], sys.argv[:] = kept["path"], kept["argv"]
    for name, text in kept["sources"].items():
        # As IPython does: for tracebacks, and for compilers that read the source.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    sys.excepthook = _show
    function = pickle.loads(kept["function"])
    _fill_main(function)
    function()


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an exception as from its first line of the user's, with sources that only ``linecache`` knows."""
    from unstuck.attach.sources import is_user_file

    first = trace
    while first is not None and not is_user_file(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    traceback.print_exception(kind, error, first or trace)


def _fill_main(function: Any) -> None:
    """Put what came from the caller's ``__main__`` into ours, where pickles that the function makes look for it."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if getattr(function, "__module__", None) == "__main__":
        names = getattr(function, "__globals__", {})
        vars(sys.modules["__main__"]).update({k: v for k, v in names.items() if not k.startswith("__")})
