"""Looking into a few evaluations: when they come, and whether the network is in training mode meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from unstuck.attach.patches import Patches
from unstuck.attach.sources import is_user_file, user_line
from unstuck.attach.untraced import stands_for

if TYPE_CHECKING:
    from unstuck.attach.session import Session

#: Evaluations that are looked into; a program that tests after every epoch does the same each time.
_MOST = 6


class Evaluations:
    """Notes the modes of the networks that run inside ``torch.no_grad()`` blocks of the program.

    The calls of modules are watched from the entry of a block to its exit, and only in the first few blocks after a
    training step, of which only the first after each: ordinary steps know nothing of it.

    Args:
        session: Gets the events.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._left = _MOST
        self._step = 0
        self._open: tuple[Any, Patches] | None = None

    def install(self, patches: Patches) -> None:
        """Hang it into torch."""
        for block in (torch.no_grad, torch.autograd.grad_mode.inference_mode):
            patches.wrap(block, "__enter__", self._enter)
            patches.wrap(block, "__exit__", self._exit)

    def _enter(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def __enter__(block: Any) -> Any:
            result = original(block)
            if self._left > 0 and self._open is None and is_user_file(sys._getframe(1).f_code.co_filename):
                self._session.guarded("looking into an evaluation", self._begin, block)
            return result

        return __enter__

    def _exit(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def __exit__(block: Any, *what: Any) -> Any:
            if self._open is not None and self._open[0] is block:
                self.close()
            return original(block, *what)

        return __exit__

    def close(self) -> None:
        """Stop watching the block that is open, if there is one: what is laid over torch next must not come on top."""
        if self._open is not None:
            self._open[1].restore()
            self._open = None

    def _begin(self, block: Any) -> None:
        session = self._session
        session.settle()
        if session.total == self._step or session.capture is not None:
            return
        patches = Patches()
        seen: list[bool] = []

        def watched(original: Callable[..., Any]) -> Callable[..., Any]:
            @stands_for(original)
            def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
                # Gradients are on again in another thread, or where the block turns them on.
                if not seen and not torch.is_grad_enabled() and any(True for _ in module.parameters()):
                    seen.append(True)
                    session.guarded("looking into an evaluation", self._note, module)
                return original(module, *args, **kwargs)

            return call

        patches.wrap(nn.Module, "__call__", watched)
        self._open = (block, patches)

    def _note(self, module: nn.Module) -> None:
        """Write down how a network is set that runs without gradients after having been trained."""
        session = self._session
        trained = {id(p) for track in session.tracks for p in track.parameters}
        if not any(id(p) in trained for p in module.parameters()):
            return
        norms = [m for m in module.modules() if isinstance(m, _NormBase) and m.track_running_stats]
        self._left -= 1
        self._step = session.total
        line = user_line()
        session.write(
            "event",
            name="evaluation",
            step=max(track.steps for track in session.tracks),
            norms=len(norms),
            training=sum(norm.training for norm in norms),
            file=line.file if line else None,
            line=line.line if line else None,
        )
