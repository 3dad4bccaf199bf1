"""The mode that feeds a tape with the program's calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._C import _get_function_stack_at, _len_torch_function_stack
from torch.overrides import TorchFunctionMode, _pop_mode, _push_mode

from unstuck.attach.tape import Tape


class Recorder(TorchFunctionMode):
    """The mode that feeds a tape. It can be laid under the modes of the program at any moment and taken out again."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self.tape = tape
        self.dead = False
        self._depth = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Pass the call on, recorded unless it belongs to a backward pass."""
        kwargs = kwargs or {}
        if self.dead or torch._C._current_graph_task_id() != -1:
            return func(*args, **kwargs)
        self._depth += 1
        try:
            return self.tape.record(func, args, kwargs)
        finally:
            self._depth -= 1

    @property
    def handles(self) -> bool:
        """Whether a call is being passed on: torch has taken the mode off its stack and is going to put it back."""
        return self._depth > 0

    @property
    def laid(self) -> bool:
        """Whether the mode is on this thread's stack."""
        return any(_get_function_stack_at(i) is self for i in range(_len_torch_function_stack()))

    def lay(self) -> None:
        """Lay the mode at the bottom of this thread's stack.

        The program may be inside ``with`` blocks of its own modes, whose exits take away the top of the stack; the
        bottom is the only place that stays ours. Only ``torch.set_default_device`` insists on being the very lowest.
        """
        above = [_pop_mode() for _ in range(_len_torch_function_stack())]
        default = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
        if above and above[-1] is default:
            _push_mode(above.pop())
        _push_mode(self)
        for mode in reversed(above):
            _push_mode(mode)

    def lift(self) -> None:
        """Take the mode out of this thread's stack, wherever it lies; nothing happens where it is not there."""
        stack = [_pop_mode() for _ in range(_len_torch_function_stack())]
        for mode in reversed(stack):
            if mode is not self:
                _push_mode(mode)
