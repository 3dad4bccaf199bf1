"""Where the session is hung into torch, and taken out again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import dataloader

from unstuck.attach.patches import Patches
from unstuck.attach.session import Session


class Hooks:
    """All that a session replaces in torch.

    Args:
        session: Gets the calls.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._patches = Patches()
        self._handles: list[Any] = []

    def install(self) -> None:
        """Hang the session in."""
        patches = self._patches
        patches.wrap(Optimizer, "__init__", self._optimizer_init)
        patches.wrap(nn.Module, "__init__", self._module_init)
        patches.wrap(torch.autograd, "backward", self._backward)
        patches.wrap(torch.nn.utils.clip_grad, "clip_grad_norm_", self._clip_grad_norm)
        patches.wrap(torch.nn.utils, "clip_grad_norm_", lambda _: torch.nn.utils.clip_grad.clip_grad_norm_)
        patches.wrap(torch.amp.grad_scaler.GradScaler, "scale", self._scale)
        patches.wrap(torch.amp.grad_scaler.GradScaler, "update", self._scaler_update)
        if "__next__" in vars(dataloader._BaseDataLoaderIter):
            patches.wrap(dataloader._BaseDataLoaderIter, "__next__", self._next_batch)
        patches.wrap(torch, "compile", self._compile)
        self._handles = [
            register_optimizer_step_pre_hook(untraced(self._before_step)),
            register_optimizer_step_post_hook(untraced(self._after_step)),
        ]

    def remove(self) -> None:
        """Take the session out; torch is as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._patches.restore()

    def _before_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._session.step_starts(optimizer, args, kwargs)

    def _after_step(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._session.step_ended(optimizer)

    def _optimizer_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def init(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            session.guarded("taking in an optimizer", session.optimizer_made, optimizer)

        return init

    def _module_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def init(module: nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            session.guarded("taking in a module", session.modules.note, module)

        return init

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def backward(tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> None:
            roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
            given = kwargs.get("grad_variables", grad_tensors)
            weights = [given] if given is None or isinstance(given, Tensor) else list(given)
            weights = weights if len(weights) == len(roots) else [None] * len(roots)
            session.guarded("noting a loss", session.backward_starts, roots)
            original(tensors, grad_tensors, *args, **kwargs)
            if session.capture is not None:
                session.backward_ended(roots, weights)

        return untraced(backward)

    def _clip_grad_norm(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def clip_grad_norm_(parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Tensor:
            norm: Tensor = original(parameters, max_norm, *args, **kwargs)
            session.clip = (norm.detach() if type(norm) is Tensor else None, float(max_norm))
            return norm

        return clip_grad_norm_

    def _scale(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def scale(scaler: Any, outputs: Any) -> Any:
            scaled = original(scaler, outputs)
            if isinstance(outputs, Tensor) and isinstance(scaled, Tensor):
                session.unscaled = {id(scaled): outputs.detach()}
            return scaled

        return scale

    def _scaler_update(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def update(scaler: Any, *args: Any, **kwargs: Any) -> Any:
            session.guarded("watching the loss scale", session.scaler_updated)
            return original(scaler, *args, **kwargs)

        return update

    def _next_batch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def __next__(iterator: Any) -> Any:
            started = perf_counter()
            batch = original(iterator)
            session.wait += perf_counter() - started
            return batch

        return __next__

    def _compile(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @functools.wraps(original)
        def compile_(model: Any = None, **options: Any) -> Any:
            compiled = original(model, **options)
            if model is None:
                return lambda function: watched_function(session, compiled(function), function)
            return watched_function(session, compiled, model)

        return compile_


def watched_function(session: Session, compiled: Any, function: Any) -> Any:
    """Return a compiled function that captures can see into; modules are seen by their calls anyhow."""
    if isinstance(compiled, nn.Module) or compiled is function:
        return compiled

    @functools.wraps(compiled)
    def call(*args: Any, **kwargs: Any) -> Any:
        capture = session.capture
        if capture is None or not capture.is_open or not torch.is_grad_enabled():
            return compiled(*args, **kwargs)
        return capture.expand(functools.partial(compiled), function, args, kwargs)

    return untraced(call)


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function so that ``torch.compile`` calls it as it is.

    This is the mark that ``torch.compiler.disable`` sets; that itself would import the whole compiler into a program that
    does not use it.
    """
    target = getattr(function, "__func__", function)
    target._torchdynamo_disable = True
    return function
