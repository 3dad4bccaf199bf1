"""Where the session is hung into torch, and taken out again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim import optimizer as optimizers
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import dataloader

from unstuck.attach.patches import Patches
from unstuck.attach.pulse import clip_of
from unstuck.attach.session import Session
from unstuck.attach.untraced import stands_for, uncompiled, untraced


class Hooks:
    """All that a session replaces in torch.

    Args:
        session: Gets the calls.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._patches = Patches()
        self._before_step = self._make_before_step()
        self._before: Any = None
        self._after: Any = None

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
        patches.wrap(torch.autograd.graph.saved_tensors_hooks, "__enter__", self._hide_graph)
        patches.wrap(torch, "compile", self._compile)
        patches.wrap(nn.Module, "load_state_dict", self._loads)
        patches.wrap(torch, "load", self._loads)
        self._session.evaluations.install(patches)
        self._after = register_optimizer_step_post_hook(self._make_after_step())
        self._session.watch_before_steps = self._watch_before_steps
        self._watch_before_steps(self._session.looks_before_steps)

    def remove(self) -> None:
        """Take the session out; torch is as it was."""
        self._session.watch_before_steps = lambda on: None
        for handle in (self._before, self._after):
            if handle is not None:
                handle.remove()
        self._before = self._after = None
        self._session.evaluations.close()
        self._patches.restore()

    def _watch_before_steps(self, on: bool) -> None:
        """Hang the hook before steps in, or take it out: it costs microseconds even where it has nothing to do.

        Torch goes through the dictionary of hooks while it calls them. So ours stays where that may be happening right
        now, in another thread or around a hook of the program's own, or where compiled code relies on what is in it.
        """
        if on and self._before is None:
            self._before = register_optimizer_step_pre_hook(self._before_step)
        elif not on and self._before is not None:
            alone = len(optimizers._global_optimizer_pre_hooks) == 1 and not self._session.many_threads
            if alone and "torch._dynamo" not in sys.modules:
                self._before.remove()
                self._before = None

    def _make_before_step(self) -> Callable[..., None]:
        session, beat = self._session, self._session.beat
        starts = untraced(session.step_starts, lambda error: session.fault("before a step", error))

        def before_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if not beat.key and session.looks_before_steps:
                starts(optimizer, args, kwargs)

        return uncompiled(before_step)

    def _make_after_step(self) -> Callable[..., None]:
        session, beat, clock = self._session, self._session.beat, perf_counter
        ended = untraced(session.step_ended, lambda error: session.fault("after a step", error))
        push, waiting = beat.numbers.append, beat.numbers

        def after_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            now = clock()
            if beat.key == id(optimizer) and now < beat.wake:
                lr, loss = optimizer.param_groups[0]["lr"], beat.loss
                if type(lr) is float:
                    if type(loss) is float:
                        if not beat.rows:
                            push(now)
                            push(loss)
                            push(lr)
                            beat.loss = None
                            return
                    elif loss is not None and not waiting:
                        beat.rows.append((now, loss, lr))
                        beat.loss = None
                        return
            ended(optimizer, args, kwargs)

        return uncompiled(after_step)

    def _optimizer_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session
        made = untraced(lambda optimizer: session.guarded("taking in an optimizer", session.optimizer_made, optimizer))

        @stands_for(original)
        def init(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            made(optimizer)

        return init

    def _module_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session
        made = untraced(lambda module: session.guarded("taking in a module", session.modules.note, module))

        @stands_for(original)
        def init(module: nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            made(module)

        return init

    def _backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session, beat, inside = self._session, self._session.beat, _Inside()
        graph_task, modes = torch._C._current_graph_task_id, torch._C._len_torch_function_stack

        starts = untraced(session.backward_starts, lambda error: session.fault("noting a loss", error))
        ended = untraced(
            lambda roots, given: session.guarded(
                "capturing gradients", lambda: session.backward_ended(roots, weights_of(roots, given))
            )
        )

        @stands_for(original)
        def backward(
            tensors: Any,
            grad_tensors: Any = None,
            retain_graph: Any = None,
            create_graph: Any = False,
            grad_variables: Any = None,
            inputs: Any = None,
        ) -> None:
            alone = beat.key and beat.loss is None and grad_tensors is None and grad_variables is None
            if alone and type(tensors) is Tensor and tensors.is_cpu and not modes():
                value = tensors.item()
                if value - value == 0:
                    beat.loss = value
                    original(tensors, None, retain_graph, create_graph, None, inputs)
                    return
            if inside.backward or graph_task() != -1:
                # A part of a backward call: torch's own detour under a mode, or re-entrant checkpointing.
                original(tensors, grad_tensors, retain_graph, create_graph, grad_variables, inputs)
                return
            roots = roots_of(tensors)
            starts(roots)
            inside.backward = True
            try:
                original(tensors, grad_tensors, retain_graph, create_graph, grad_variables, inputs)
            finally:
                inside.backward = False
            if session.capture is not None:
                ended(roots, grad_tensors if grad_tensors is not None else grad_variables)

        return backward

    def _clip_grad_norm(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        def note(norm: Any, max_norm: Any) -> None:
            known = type(norm) is Tensor and isinstance(max_norm, (int, float))
            session.clip = clip_of(norm, float(max_norm)) if known else None
            session.beat.off()

        noted = untraced(lambda *what: session.guarded("noting a clipped gradient", note, *what))

        @stands_for(original)
        def clip_grad_norm_(parameters: Any, max_norm: Any, *args: Any, **kwargs: Any) -> Any:
            norm = original(parameters, max_norm, *args, **kwargs)
            noted(norm, max_norm)
            return norm

        return clip_grad_norm_

    def _scale(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @stands_for(original)
        def scale(scaler: Any, outputs: Any) -> Any:
            scaled = original(scaler, outputs)
            if isinstance(outputs, Tensor) and isinstance(scaled, Tensor):
                session.unscaled = {id(scaled): outputs.detach()}
                session.beat.off()
            return scaled

        return scale

    def _scaler_update(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @stands_for(original)
        def update(scaler: Any, *args: Any, **kwargs: Any) -> Any:
            session.scaler_updated()
            return original(scaler, *args, **kwargs)

        return update

    def _next_batch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        beat = self._session.beat

        @stands_for(original)
        def __next__(iterator: Any) -> Any:
            started = perf_counter()
            batch = original(iterator)
            beat.wait += perf_counter() - started
            return batch

        return __next__

    def _hide_graph(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @stands_for(original)
        def __enter__(hooks: Any) -> Any:
            session.hidden_graph = True
            return original(hooks)

        return __enter__

    def _loads(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @stands_for(original)
        def load(*args: Any, **kwargs: Any) -> Any:
            session.modules.loaded = True
            return original(*args, **kwargs)

        return load

    def _compile(self, original: Callable[..., Any]) -> Callable[..., Any]:
        session = self._session

        @stands_for(original)
        def compile_(model: Any = None, **options: Any) -> Any:
            compiled = original(model, **options)
            if model is None:
                return lambda function: watched_function(session, compiled(function), function)
            return watched_function(session, compiled, model)

        return compile_


class _Inside(threading.local):
    """Whether this thread is inside a call of ``backward``."""

    backward = False


def watched_function(session: Session, compiled: Any, function: Any) -> Any:
    """Return a compiled function that captures can see into; modules are seen by their calls anyhow."""
    if compiled is function or not isinstance(compiled, FunctionType):
        return compiled

    ended = untraced(lambda: session.guarded("starting a probe", session.rounds.compiled_code_ended))

    @stands_for(compiled)
    def call(*args: Any, **kwargs: Any) -> Any:
        capture = session.capture
        if capture is None or not capture.is_open:
            result = compiled(*args, **kwargs)
        elif torch.is_grad_enabled():
            result = capture.expand(compiled, function, args, kwargs)
        else:
            result = capture.aside(compiled, *args, **kwargs)
        if session.rounds.postponed is not None:
            ended()
        return result

    return call


def roots_of(tensors: Any) -> list[Tensor]:
    """Return the tensors that ``backward`` is called on; a ``GradientEdge`` is none."""
    if isinstance(tensors, Tensor):
        return [tensors]
    return [item for item in tensors if isinstance(item, Tensor)] if type(tensors) in (list, tuple) else []


def weights_of(roots: list[Tensor], given: Any) -> list[Any]:
    """Return the gradient with respect to each root, None for a scalar's."""
    weights = list(given) if isinstance(given, (list, tuple)) else [given]
    return weights if len(weights) == len(roots) else [None] * len(roots)
