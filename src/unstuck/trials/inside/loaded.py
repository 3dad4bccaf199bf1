"""Which modules have got their weights from a file or from another module: those are not drawn anew."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from unstuck.attach.untraced import stands_for
from unstuck.trials.inside.stage import Stage


class Loaded:
    """Notes the modules that ``load_state_dict`` is called on.

    Args:
        stage: The hook points.
    """

    def __init__(self, stage: Stage) -> None:
        self._modules: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        stage.wrap(nn.Module, "load_state_dict", self._noting)

    def among(self, modules: Iterable[nn.Module]) -> bool:
        """Whether one of some modules has been loaded."""
        return any(module in self._modules for module in modules)

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def load_state_dict(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            result = original(module, *args, **kwargs)
            self._modules.update(module.modules())
            return result

        return load_state_dict
