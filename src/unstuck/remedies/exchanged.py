"""Another algorithm at work inside the program's optimizer, which stays the object that everyone else sees."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.untraced import untraced

#: Hyper-parameters that mean the same in every algorithm: the program's own go on where nothing else is wanted.
_KEPT = ("weight_decay", "maximize")


class _Aside(Optimizer):
    """An optimizer that only we know: nobody is told when it is made, and its step runs no hooks."""

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        inspect.unwrap(Optimizer.__init__)(self, params, defaults)

    def _patch_step_function(self) -> None:
        """Leave the step without hooks; torch calls this as it makes an optimizer."""


class Exchanged:
    """Steps of an algorithm on the parameters of an optimizer, under its learning rates and their schedules.

    The optimizer's first learning rate at the start is the unit: a group whose rate is now half of it gets half the
    new rate. So groups keep their proportions, and schedules their shape.

    Args:
        optimizer: The program's optimizer. Its class and its groups stay; its ``step`` becomes that of the algorithm.
        algorithm: Class of the other optimizer.
        lr: Its learning rate; None to use the rates of the program's groups as they are.
        options: Further arguments of the class.
    """

    def __init__(
        self, optimizer: Optimizer, algorithm: type[Optimizer], lr: float | None, options: Mapping[str, Any]
    ) -> None:
        self._algorithm: Callable[..., Any] = type(algorithm.__name__, (algorithm, _Aside), {})
        self._run = _unhooked(algorithm.step)
        self._lr = lr
        self._options = dict(options)
        self._unit = float(optimizer.param_groups[0].get("lr", 0.0))
        self._inner: Optimizer | None = None
        self._known: set[Tensor] = set()
        steps = untraced(self._step)

        def step(shell: Optimizer, closure: Callable[[], Any] | None = None) -> Any:
            return steps(shell, closure)

        # A method of this one optimizer, so that schedulers can wrap it; with torch's hooks, so that they run once.
        optimizer.step = MethodType(Optimizer.profile_hook_step(step), optimizer)  # type: ignore[method-assign]

    def _step(self, shell: Optimizer, closure: Callable[[], Any] | None) -> Any:
        if not _unscaled(shell):
            return None
        inner = self._follow(shell)
        return self._run(inner, closure)

    def _follow(self, shell: Optimizer) -> Optimizer:
        """Return the inner optimizer with the parameters and hyper-parameters that the program's has now."""
        new = list(dict.fromkeys(p for g in shell.param_groups for p in g["params"] if p not in self._known))
        if new:
            fresh: Optimizer = self._algorithm(new, **self._options)
            if self._inner is None:
                self._inner = fresh
            else:
                self._inner.state.update(fresh.state)  # some algorithms make it at once
            self._known.update(new)
        assert self._inner is not None
        self._inner.param_groups = [self._group(self._inner, shell, group) for group in shell.param_groups]
        return self._inner

    def _group(self, inner: Optimizer, shell: Optimizer, group: dict[str, Any]) -> dict[str, Any]:
        kept = {k: group[k] for k in _KEPT if k in group and k in inner.defaults and k not in self._options}
        # OneCycleLR puts its own rate over that of the program, and notes the highest.
        unit = float(shell.param_groups[0].get("max_lr", self._unit))
        if self._lr is None:
            rate = float(group["lr"]) if "lr" in group else inner.defaults["lr"]
        else:
            rate = self._lr * (float(group["lr"]) / unit) if "lr" in group and unit > 0 else self._lr
        return {**inner.defaults, **kept, "params": group["params"], "lr": rate}


def _unhooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step of a class of optimizers without torch's hooks, which are in it once one has been made."""
    bare: Callable[..., Any] = inspect.unwrap(step, stop=lambda f: not getattr(f, "hooked", False))
    return bare


def _unscaled(shell: Optimizer) -> bool:
    """Do what an optimizer does that is fused with a ``GradScaler``; return whether there is to be a step."""
    infinite, scale = getattr(shell, "found_inf", None), getattr(shell, "grad_scale", None)
    if infinite is not None and float(infinite) > 0:
        return False
    if scale is not None:
        gradients = [p.grad for group in shell.param_groups for p in group["params"] if p.grad is not None]
        with torch.no_grad():
            for gradient in gradients:
                gradient.div_(scale.to(gradient.device))
    return True
