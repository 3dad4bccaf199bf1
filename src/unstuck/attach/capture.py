"""One probe round: what is laid over torch between two steps to capture them, and taken away again.

A round starts right after an optimizer step and ends after the next step of every optimizer that takes part, so that a
GAN's two steps, which share a generated batch, are captured together.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unstuck.attach.again import Generators, original_of, run_again
from unstuck.attach.calls import flat, tensors_in
from unstuck.attach.modules import Modules
from unstuck.attach.patches import Patches
from unstuck.attach.recorder import Recorder
from unstuck.attach.tape import Backward, Tape
from unstuck.attach.untraced import stands_for

#: Where every ``apply`` of an ``autograd.Function`` passes, and what it does.
_SINGLE_LEVEL = torch.autograd.function._SingleLevelFunction
_APPLY: Callable[..., Any] = vars(torch._C._FunctionBase)["apply"]
#: A round that grows beyond this is given up: it holds more than training steps.
MAX_OPS = 50_000


@dataclass
class Seen:
    """What a round has seen of one optimizer.

    Attributes:
        backwards: Backward calls whose gradients are in ``p.grad`` now.
        stale: Gradients that were left over when the first of them started; None where they were cleared.
        raw: Gradients right after the last of them, before any clipping.
        before: Values of the parameters when ``step`` was called.
        in_step: Whether ``step`` is running (a closure calls ``backward`` from inside).
    """

    backwards: list[Backward] = field(default_factory=list)
    stale: list[Tensor | None] | None = None
    raw: list[Tensor | None] | None = None
    before: list[Tensor] | None = None
    in_step: bool = False


class Capture:
    """Captures one probe round.

    Args:
        optimizers: The optimizers of the loop; the round is complete when each of them has stepped.
        start: Number of the step that is about to be prepared.
        total: Steps that all optimizers have taken so far.
        modules: The program's modules.
    """

    def __init__(self, optimizers: Sequence[Optimizer], start: int, total: int, modules: Modules) -> None:
        self.tape = Tape()
        self.start = start
        self.total = total
        self.ended = False
        self.backwards = 0
        self.waiting = {id(optimizer) for optimizer in optimizers}
        self.measured: set[int] = set()
        self.steps_seen = 0
        self.seen: dict[int, Seen] = {}
        self.before: dict[tuple[int, int], Tensor] = {}
        self._modules = modules
        self._thread = get_ident()
        self._recorder = Recorder(self.tape)
        self._patches = Patches()

    @property
    def mine(self) -> bool:
        """Whether the calling thread is the one that is captured."""
        return self._thread == get_ident()

    def open(self) -> None:
        """Start capturing on this thread."""
        self._recorder.lay()
        self._patches.wrap(nn.Module, "__call__", self._module_call)
        # Programs keep ``apply`` under a name of their own, from before we came: it comes by its base class.
        self._patches.shadow(_SINGLE_LEVEL, "apply", classmethod(self._function_apply(_APPLY)))
        compiler = sys.modules.get("torch._dynamo.eval_frame")
        if hasattr(compiler, "_maybe_set_eval_frame"):
            self._patches.wrap(compiler, "_maybe_set_eval_frame", self._frame_evaluation)

    def end(self) -> bool:
        """Stop capturing for good.

        Returns:
            Whether torch is as it was; else the mode, dead as it is, still has to be lifted, by another call in the
            captured thread and outside torch.
        """
        self.ended = self._recorder.dead = True
        self._close()
        return self.mine and not self._recorder.handles

    def _close(self) -> None:
        self._recorder.lift()
        self._patches.restore()

    def _frame_evaluation(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Lift the mode when compiled code begins that was made out of our sight: it would be compiled into it.

        It stays lifted until the step, for where such code ends cannot be told.
        """

        def set_frame_evaluation(callback: Any) -> Any:
            if callable(callback) and self._recorder.laid:
                self._recorder.lift()
                self.tape.troubles.append("a function was compiled before unstuck was attached")
            return original(callback)

        return set_frame_evaluation

    @property
    def is_open(self) -> bool:
        """Whether the program's calls on this thread are being captured."""
        return self._recorder.laid and not self.tape.runs_again

    def of(self, optimizer: Optimizer) -> Seen:
        """Return what was seen of an optimizer so far."""
        return self.seen.setdefault(id(optimizer), Seen())

    def backward_starts(self, optimizers: Sequence[Optimizer]) -> None:
        """Look at the gradients that a backward call is going to add to.

        Args:
            optimizers: All optimizers that are known.
        """
        for optimizer in optimizers:
            seen = self.of(optimizer)
            if seen.in_step and seen.backwards:
                continue  # a closure's further evaluations are at other parameters: the first one is the step's
            grads = [p.grad for p in parameters_of(optimizer)]
            if not seen.backwards or is_zero(grads):
                seen.backwards = []
                seen.stale = None if is_zero(grads) else [copy_of(g) for g in grads]

    def backward_ended(
        self, optimizers: Sequence[Optimizer], roots: list[Tensor], weights: list[Any], step: int
    ) -> None:
        """Note a backward call and the gradients it leaves.

        Args:
            optimizers: All optimizers that are known.
            roots: Tensors that it started from.
            weights: Their gradients, ``None`` for scalars.
            step: Number of the step that is being prepared.
        """
        self.backwards += 1
        self.tape.note_backward(roots, weights, step)
        for optimizer in optimizers:
            seen = self.of(optimizer)
            if seen.in_step and seen.backwards:
                continue
            seen.backwards.append(self.tape.backwards[-1])
            seen.raw = [copy_of(p.grad) for p in parameters_of(optimizer)]

    def step_starts(self, optimizer: Optimizer, has_closure: bool) -> None:
        """Keep the parameters as they are before a step."""
        seen = self.of(optimizer)
        parameters = parameters_of(optimizer)
        seen.before = [p.detach().clone() for p in parameters]
        self.before.update({(id(p), p._version): kept for p, kept in zip(parameters, seen.before, strict=True)})
        seen.in_step = has_closure
        if has_closure:
            seen.backwards = []

    def step_ended(self, optimizer: Optimizer) -> bool:
        """Note the end of a step and return whether the round is complete."""
        self.waiting.discard(id(optimizer))
        self.steps_seen += 1
        return not self.waiting or self.steps_seen >= 8 or len(self.tape.ops) > MAX_OPS

    def _module_call(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if not self._recorder.laid or self.tape.runs_again:
                return original(module, *args, **kwargs)
            if not torch.is_grad_enabled():
                # An evaluation: under a mode, torch would leave its fast paths, and the results their last bits.
                self.tape.note_unseen(module)
                return self.aside(original, module, *args, **kwargs)
            target = original_of(module)
            if target is None:
                if module._modules:
                    return original(module, *args, **kwargs)
                outer, self.tape.made = self.tape.made, self._modules.line_of(module)
                try:
                    return original(module, *args, **kwargs)
                finally:
                    self.tape.made = outer
            like = next((p for p in target.parameters()), None)
            return self.expand(functools.partial(original, module), target, args, kwargs, like)

        return call

    def aside(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call ``function`` as if no capture were going on."""
        with self.paused():
            return function(*args, **kwargs)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """While entered, nothing is captured; the capture goes on afterwards unless it has ended meanwhile."""
        was_open = self.is_open
        self._close()
        try:
            yield
        finally:
            if was_open and not self.ended and not self.is_open:
                self.open()

    def expand(
        self,
        compiled: Callable[..., Any],
        eager: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        like: Tensor | None = None,
    ) -> Any:
        """Run a compiled callable as it is, then its original once more under the tape, and return the former's result.

        Args:
            compiled: What the program called.
            eager: The original behind it.
            args: Arguments of the call.
            kwargs: Keyword arguments of the call.
            like: A tensor of the device that it runs on, where that is known.

        Returns:
            What the compiled callable returned; its tensors stand for the original's on the tape.
        """
        like = next((t for t in tensors_in((args, kwargs))), torch.empty(0)) if like is None else like
        before, done = Generators(like), self._done
        result = self.aside(compiled, *args, **kwargs)
        theirs = [t for t in tensors_in(result) if t.requires_grad]
        if self.ended or not theirs:
            return result
        if self._done != done:
            self.tape.troubles.append("compiled code that calls backward or step cannot be run once more")
            return result
        again = run_again(self.tape, self._modules, eager, before, *args, **kwargs)
        for outer, inner in zip(flat(result), flat(again), strict=False):
            if isinstance(outer, Tensor) and isinstance(inner, Tensor):
                self.tape.alias(outer, inner)
        return result

    @property
    def _done(self) -> tuple[int, int]:
        return self.backwards, self.steps_seen

    def _function_apply(self, original: Callable[..., Any]) -> Callable[..., Any]:
        capture = self

        @stands_for(original)
        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            if not capture._recorder.laid or torch._C._are_functorch_transforms_active():
                return original(cls, *args, **kwargs)
            if cls.__name__ == "CheckpointFunction" and callable(args[0]):
                # Re-entrant checkpointing runs a function of the program without recording a graph.
                whole = functools.partial(original, cls, *args, **kwargs)
                return capture.expand(lambda *_: whole(), args[0], args[2:], {})
            return capture.tape.record(CustomFunction(cls, original), args, kwargs, random=True)

        return apply


class CustomFunction:
    """A user's ``autograd.Function`` as an operation of the tape."""

    def __init__(self, cls: Any, apply: Callable[..., Any]) -> None:
        self.cls = cls
        self.__name__ = cls.__name__
        self._call = functools.partial(apply, cls)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function."""
        return self._call(*args, **kwargs)


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """Return the parameter tensors of an optimizer in the order of its groups."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def is_zero(grads: Sequence[Tensor | None]) -> bool:
    """Whether there is no gradient in ``grads`` that is not zero throughout."""
    return all(g is None or not bool(g.any()) for g in (local(g) for g in grads))


def local(tensor: Tensor | None) -> Tensor | None:
    """Return the part of a gradient that lies in this process, dense and detached (no collective is ever started)."""
    if tensor is None:
        return None
    if hasattr(tensor, "to_local"):
        tensor = tensor.to_local()
    tensor = tensor.detach()
    return tensor.to_dense() if tensor.layout != torch.strided else tensor


def copy_of(tensor: Tensor | None) -> Tensor | None:
    """Return a dense copy of a gradient, or None."""
    kept = local(tensor)
    return None if kept is None else kept.clone()
