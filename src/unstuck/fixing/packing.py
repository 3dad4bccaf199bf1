"""A Python function as a file that another process can run: with what it uses, its source, and the caller's paths."""

from __future__ import annotations

import io
import linecache
import marshal
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import cloudpickle

from unstuck.errors import UsageError
from unstuck.fixing.modules import by_value
from unstuck.fixing.refusal import why_not


@dataclass(frozen=True, slots=True)
class Packed:
    """A function that another process can run.

    Attributes:
        data: What ``python -m unstuck.fixing`` finds in the file that it is given.
        outside: The kinds of networks and optimizers that go with it, for they were made outside of it.
    """

    data: bytes
    outside: tuple[str, ...]


def pack(function: Callable[[], object]) -> Packed:
    """Return a function with what it uses.

    Args:
        function: The function. What it uses of ``__main__``, of a notebook and of modules that a new process would not
            find goes with it as it is now; all else is imported anew.

    Raises:
        UsageError: It holds something that cannot be copied.
    """
    try:
        data, pickler = _dump(function)
    except Exception as error:  # whatever the user's own objects raise
        raise UsageError(why_not(function, error, _can_be_copied)) from None
    kept = {"path": list(sys.path), "argv": list(sys.argv), "sources": pickler.sources, "function": data}
    return Packed(pickle.dumps(kept), pickler.outside)


def _dump(value: Any) -> tuple[bytes, _Pickler]:
    file = io.BytesIO()
    pickler = _Pickler(file)
    with by_value():
        pickler.dump(value)
    return file.getvalue(), pickler


def _can_be_copied(value: Any) -> bool:
    try:
        _dump(value)
    except Exception:
        return False
    return True


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]  # it has no types
    """Keeps the names and the sources of files, which cloudpickle drops, and notes what is trained.

    Attributes:
        sources: Sources of code that lies in no file, by the name of the file that it would be in.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.sources: dict[str, str] = {}
        self._trained: dict[int, Any] = {}
        self._inner: set[int] = set()

    @property
    def outside(self) -> tuple[str, ...]:
        """The kinds of outermost networks with weights, and of optimizers, that were met."""
        outer = [type(item).__name__ for key, item in self._trained.items() if key not in self._inner]
        return tuple(dict.fromkeys(outer))

    def reducer_override(self, obj: Any) -> Any:
        """Take code as it is, but for the names of cells, and leave the rest to cloudpickle."""
        if type(obj) is CodeType:  # the same Python reads it again
            return marshal.loads, (marshal.dumps(self._named(obj)),)
        torch = sys.modules.get("torch")
        if torch is not None and issubclass(type(obj), torch.nn.Module):
            if next(obj.parameters(), None) is not None:
                self._trained[id(obj)] = obj
                self._inner.update(id(module) for module in obj.modules() if module is not obj)
        elif torch is not None and issubclass(type(obj), torch.optim.Optimizer):
            self._trained[id(obj)] = obj
        return super().reducer_override(obj)

    def _named(self, code: CodeType) -> CodeType:
        """Return code, with all that is defined in it, under the name of its file as a person knows it."""
        name = _shown(code.co_filename)
        if name not in self.sources and not Path(code.co_filename).is_file():
            self.sources[name] = "".join(linecache.getlines(code.co_filename))
        constants = tuple(self._named(c) if isinstance(c, CodeType) else c for c in code.co_consts)
        return code.replace(co_filename=name, co_consts=constants)


def _shown(filename: str) -> str:
    """Return the name of a file; a notebook's cell has a made-up one, and is known by its number: ``Cell In[3]``."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    name_of_cell = getattr(getattr(shell, "compile", None), "format_code_name", None)
    cell = name_of_cell(filename) if name_of_cell is not None else None
    return " ".join(cell) if cell else filename
