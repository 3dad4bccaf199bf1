"""The modules of the program: what its parameters are called, and the line that made each layer."""

from __future__ import annotations

import gc
import weakref
from collections.abc import MutableMapping, Sequence
from types import FrameType
from typing import Any

from torch import Tensor, nn

from unstuck.attach.sources import Line, user_frame, user_line


class Modules:
    """Weak references to the modules that the program makes, with the line that made each.

    Args:
        scan: Whether modules may have been made before this object, so that those in memory are looked up once.

    Attributes:
        loaded: Whether the program has loaded anything that may be weights.
        trained: Memory of the weights that were trained when a step was looked at.
    """

    def __init__(self, scan: bool = False) -> None:
        self._made: dict[int, tuple[weakref.ref[nn.Module], Line | None]] = {}
        self.loaded = False
        self.trained: set[int] = set()
        self._leaves: dict[int, weakref.ref[Tensor]] = {}
        if scan:
            self._scan()

    def _scan(self) -> None:
        """Look for modules in memory: what was made earlier, copied or unpickled never ran ``__init__`` before us."""
        for item in gc.get_objects():
            # Not isinstance: it asks the object for its class, and some objects answer with a warning.
            if issubclass(type(item), nn.Module):
                self._add(item, None)

    def note(self, module: nn.Module) -> None:
        """Note a module that is being made by the line of the program that is running."""
        if not self._knows(module):
            self._add(module, user_line())

    def _knows(self, module: nn.Module) -> bool:
        entry = self._made.get(id(module))
        return entry is not None and entry[0]() is module

    def _add(self, module: nn.Module, line: Line | None) -> None:
        if self._knows(module):
            return
        key = id(module)

        def forget(reference: weakref.ref[nn.Module]) -> None:
            if key in self._made and self._made[key][0] is reference:
                del self._made[key]

        self._made[key] = (weakref.ref(module, forget), line)

    def line_of(self, module: nn.Module) -> Line | None:
        """Return the line that made a module, None where that was not seen."""
        entry = self._made.get(id(module))
        return entry[1] if entry is not None and entry[0]() is module else None

    def is_lasting(self, leaf: Tensor) -> bool:
        """Whether a leaf that requires gradients is a weight, and not an input made for one step.

        A tensor that is no ``nn.Parameter`` counts once it has been met in an earlier round.
        """
        if isinstance(leaf, nn.Parameter):
            return True
        known = self._leaves.get(id(leaf))
        self._leaves[id(leaf)] = weakref.ref(leaf)
        return known is not None and known() is leaf

    def alive(self) -> list[nn.Module]:
        """Return the modules that still exist."""
        return [module for reference, _ in list(self._made.values()) if (module := reference()) is not None]

    def names_of(self, parameters: Sequence[Tensor], frame: FrameType | None = None) -> tuple[list[str], Owners]:
        """Name parameters as the program does.

        A parameter is called by its path from the outermost module that holds it, or, outside any module, by the
        variable of the program's frame that holds it.

        Args:
            parameters: The parameters to name.
            frame: A frame of the program whose variables may hold parameters.

        Returns:
            Names in the order of the parameters, unique; and the modules that own them.
        """
        wanted = {id(p) for p in parameters}
        paths, owners = self._paths(wanted)
        if len(paths) < len(wanted):
            self._scan()
            paths, owners = self._paths(wanted)
        frame = frame if frame is not None else user_frame()
        if len(paths) < len(wanted) and frame is not None:
            paths = {**_variables(frame, wanted - set(paths)), **paths}
        return _unique([_plain(paths.get(id(p), f"parameter{i}")) for i, p in enumerate(parameters)]), owners

    def _paths(self, wanted: set[int]) -> tuple[dict[int, str], Owners]:
        paths: dict[int, str] = {}
        owners: Owners = weakref.WeakValueDictionary()
        modules = self.alive()
        children = {id(child) for module in modules for child in module._modules.values() if child is not None}
        roots = [module for module in modules if id(module) not in children]
        roots.sort(key=lambda root: -sum(id(p) in wanted for p in _parameters(root)))
        for root in roots:
            for path, module in root.named_modules():
                for name, parameter in module._parameters.items():
                    if parameter is not None and id(parameter) in wanted and id(parameter) not in paths:
                        paths[id(parameter)] = f"{path}.{name}" if path else name
                        owners[id(parameter)] = module
        return paths, owners


#: Module of each parameter, by the parameter's id.
Owners = MutableMapping[int, nn.Module]


def _parameters(module: nn.Module) -> list[nn.Parameter]:
    try:
        return list(module.parameters())
    except (AttributeError, RuntimeError, TypeError):  # a module that is half made, or scripted
        return []


def _plain(name: str) -> str:
    """Take out what wrappers put in: ``_orig_mod`` of torch.compile, ``module`` of data parallelism."""
    return name.replace("_orig_mod.", "").removeprefix("module.")


def _variables(frame: FrameType, wanted: set[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for scope in (frame.f_locals, frame.f_globals):
        for name, value in list(scope.items()):
            for label, item in _items(name, value):
                if id(item) in wanted:
                    names.setdefault(id(item), label)
    return names


def _items(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Tensor):
        return [(name, value)]
    if isinstance(value, (list, tuple)) and len(value) <= 1000:
        return [(f"{name}[{i}]", item) for i, item in enumerate(value) if isinstance(item, Tensor)]
    if type(value) is dict and len(value) <= 1000:
        return [(f"{name}[{key!r}]", item) for key, item in value.items() if isinstance(item, Tensor)]
    attributes = getattr(value, "__dict__", None)
    if type(attributes) is dict and not isinstance(value, (type, nn.Module)) and len(attributes) <= 200:
        return [(f"{name}.{key}", item) for key, item in attributes.items() if isinstance(item, Tensor)]
    return []


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return unique
