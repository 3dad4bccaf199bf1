"""What remedies take hold of in the process of a trial: optimizers, steps, first forward passes, functions of torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim import optimizer as optimizers
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from unstuck.attach.modules import Modules
from unstuck.attach.patches import Patches
from unstuck.attach.sources import user_line
from unstuck.attach.untraced import stands_for, untraced

OnOptimizer = Callable[[Optimizer], None]
OnStep = Callable[[Optimizer, int], None]
OnForward = Callable[[nn.Module, tuple[Any, ...], Mapping[str, Any]], None]


class Stage:
    """The hook points of a trial. Nothing is hung into torch that no remedy has asked for.

    Args:
        total_steps: Optimizer steps of the whole run; None where not known.
        counts: Tells of an optimizer that steps whether it is the one that the trial is counted by; None where that is
            the first to step.
        concerns: Tells of an optimizer whether remedies are to change it; None for all.

    Attributes:
        total_steps: The same.
        counts: The same.
        modules: The modules that the program has made.
        applied: Kinds of the remedies that found what they change; see :meth:`did`.
        why_not: Why others did not, by kind.
    """

    def __init__(
        self,
        total_steps: int | None = None,
        counts: Callable[[Optimizer], bool] | None = None,
        concerns: Callable[[Optimizer], bool] | None = None,
    ) -> None:
        self.total_steps = total_steps
        self.counts = counts
        self._concerns = concerns
        self.modules = Modules()
        self.applied: set[str] = set()
        self.why_not: dict[str, str] = {}
        self._patches = Patches()
        self._handles: list[Any] = []
        self._made: list[OnOptimizer] = []
        self._before: list[tuple[OnStep, bool]] = []
        self._after: list[tuple[OnStep, bool]] = []
        self._forward: list[OnForward] = []
        self._ending: list[Callable[[], None]] = []
        self._steps: WeakKeyDictionary[Optimizer, int] = WeakKeyDictionary()  # another one may get an id
        self._apart: WeakSet[Optimizer] = WeakSet()
        self._saved: dict[int, list[dict[str, tuple[Any, Any]]]] = {}
        self._nested: dict[int, int] = {}
        self._seen: set[int] = set()
        self._depth = 0
        self._calls = Patches()

    # ------------------------------------------------------------------ for remedies

    def when_optimizer_made(self, function: OnOptimizer) -> None:
        """Call ``function(optimizer)`` right after the program has made an optimizer that remedies are to change."""
        self._made.append(function)

    def before_step(self, function: OnStep, every: bool = False) -> None:
        """Call ``function(optimizer, step)`` right before every step (from 0, counted per optimizer).

        What it changes in the parameter groups, apart from ``params``, holds for this step only: the program and its
        schedulers find their own values again after it.

        Args:
            function: What is called.
            every: Whether also for optimizers that remedies are to leave alone.
        """
        self._before.append((function, every))

    def after_step(self, function: OnStep, every: bool = False) -> None:
        """Call ``function(optimizer, step)`` right after every step, when the program's own values are back.

        Args:
            function: What is called.
            every: Whether also for optimizers that remedies are to leave alone.
        """
        self._after.append((function, every))

    def before_first_forward(self, function: OnForward) -> None:
        """Call ``function(network, args, kwargs)`` before the first forward pass with gradients of each network.

        A network is a module that is called from no other module and has parameters that require gradients. Those
        that are first called after the first step of the optimizer that counts are not seen, nor are those that an
        optimizer trains which remedies are to leave alone.
        """
        self._forward.append(function)

    def at_end(self, function: Callable[[], None]) -> None:
        """Call ``function()`` when the trial ends by itself or is ended after its steps; maybe more than once."""
        self._ending.append(function)

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace ``owner.name`` by ``make(original)``, or put that before it where a class inherits it.

        See :class:`unstuck.attach.patches.Patches`.
        """
        if name in vars(owner):
            self._patches.wrap(owner, name, make)
        else:
            self._patches.shadow(owner, name, make(getattr(owner, name)))

    def did(self, kind: str) -> None:
        """Note that a remedy has found what it changes; one that never says so makes the trial ``not-applied``."""
        self.applied.add(kind)

    def cannot(self, kind: str, why: str) -> None:
        """Note why a remedy has found nothing to change, in half a sentence: ``no DataLoader feeds the training``."""
        self.why_not.setdefault(kind, why)

    def networks(self, optimizer: Optimizer) -> list[nn.Module]:
        """Return the outermost modules that hold parameters of an optimizer, in the order in which they were made."""
        trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
        alive = self.modules.alive()
        holders = [m for m in alive if any(id(p) in trained for p in m.parameters())]
        inner = {id(child) for m in holders for child in m.modules() if child is not m}
        return [m for m in holders if id(m) not in inner]

    @staticmethod
    def line(depth: int = 1) -> tuple[str, int] | None:
        """Return the innermost line of the program on the stack, as the record names it; None where there is none."""
        found = user_line(sys._getframe(depth))
        return None if found is None else (found.file, found.line)

    # ------------------------------------------------------------------ life

    def install(self) -> None:
        """Hang into torch what the remedies have asked for."""
        self._patches.wrap(nn.Module, "__init__", self._module_init)
        if self._made or self._concerns is not None:
            self._patches.wrap(Optimizer, "__init__", self._optimizer_init)
        if self._before or self._after or self._forward:
            self._handles.append(register_optimizer_step_pre_hook(untraced(self._step_starts)))
            self._handles.append(register_optimizer_step_post_hook(untraced(self._step_ended)))
        if self._forward:
            self._calls.wrap(nn.Module, "__call__", self._module_call)

    def ends(self) -> None:
        """Let those who asked for it write down what they have."""
        for function in self._ending:
            function()

    def remove(self) -> None:
        """Leave torch as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._calls.restore()
        self._patches.restore()

    # ------------------------------------------------------------------ hooks

    def _module_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        note = untraced(self.modules.note)

        @stands_for(original)
        def init(module: nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            note(module)

        return init

    def _optimizer_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        made = untraced(self._optimizer_made)

        @stands_for(original)
        def init(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            made(optimizer)

        return init

    def _optimizer_made(self, optimizer: Optimizer) -> None:
        if self._concerns is not None and not self._concerns(optimizer):
            self._apart.add(optimizer)
            return
        for function in self._made:
            function(optimizer)

    def _step_starts(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.counts is None or self.counts(optimizer):
            self._calls.restore()
        if id(optimizer) in self._saved:
            if _steps_on_stack(optimizer) > 1:  # a step that calls that of its superclass
                self._nested[id(optimizer)] = self._nested.get(id(optimizer), 0) + 1
                return
            self._restore(optimizer)  # an exception has ended the step before
            self._nested.pop(id(optimizer), None)
        step = self._steps.get(optimizer, 0)
        self._saved[id(optimizer)] = [
            {key: (value, _copied(value)) for key, value in group.items() if key != "params"}
            for group in optimizer.param_groups
        ]
        self._tell(self._before, optimizer, step)

    def _step_ended(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._nested.get(id(optimizer), 0):
            self._nested[id(optimizer)] -= 1
            return
        self._restore(optimizer)
        step = self._steps.get(optimizer, 0)
        self._steps[optimizer] = step + 1
        self._tell(self._after, optimizer, step)

    def _tell(self, functions: list[tuple[OnStep, bool]], optimizer: Optimizer, step: int) -> None:
        concerned = self._concerns is None or self._concerns(optimizer)
        for function, every in functions:
            if concerned or every:
                function(optimizer, step)

    def _restore(self, optimizer: Optimizer) -> None:
        for group, saved in zip(optimizer.param_groups, self._saved.pop(id(optimizer), ()), strict=False):
            for key, (value, content) in saved.items():
                if isinstance(value, Tensor):
                    value.copy_(content)  # a rate that lives on the device is the program's own tensor
                group[key] = value

    def _module_call(self, original: Callable[..., Any]) -> Callable[..., Any]:
        meet = untraced(self._meet)

        @stands_for(original)
        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if self._depth == 0 and id(module) not in self._seen and torch.is_grad_enabled():
                meet(module, args, kwargs)
            self._depth += 1
            try:
                return original(module, *args, **kwargs)
            finally:
                self._depth -= 1

        return call

    def _meet(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if not any(p.requires_grad for p in module.parameters()):
            return  # a loss, or a frozen network
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return  # inside vmap and the like its weights are others for the time of the call
        apart = {id(p) for one in self._apart for group in one.param_groups for p in group["params"]}
        if any(id(p) in apart for p in module.parameters()):
            return  # another phase of the program
        self._seen.add(id(module))
        for function in self._forward:
            function(module, args, kwargs)


def _steps_on_stack(optimizer: Optimizer) -> int:
    """Return how many calls of an optimizer's step are going on: torch runs the hooks in each, one inside the other."""
    count = 0
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        own = frame.f_code.co_filename == optimizers.__file__ and frame.f_code.co_name == "wrapper"
        count += own and frame.f_locals.get("self") is optimizer
        frame = frame.f_back
    return count


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
