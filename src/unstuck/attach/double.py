"""A captured step in double precision: the same operations, in which the program's own rounding plays no part.

The tape is written anew: every floating tensor that came from outside is cast, every dtype that a call names is double,
autocast is off. A custom ``autograd.Function`` runs as it is, and must take what it gets. What torch itself leaves out
of a gradient on purpose (the padding row of an embedding) is taken back in, for it is no fault.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.calls import generator_states, set_generator_states, tensors_in
from unstuck.attach.capture import CustomFunction
from unstuck.attach.replay import Player
from unstuck.attach.sources import shown
from unstuck.attach.tape import Constant, Op, Slot
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.step import CustomCall

#: Methods that cast to what their name says.
_CASTS = frozenset("float half bfloat16 double type cfloat chalf cdouble".split())
#: Functions whose gradient is another one on purpose, and the arguments that make it so: position, name, plain value.
_SET: dict[str, tuple[tuple[int, str, object], ...]] = {
    "embedding": ((2, "padding_idx", None), (5, "scale_grad_by_freq", False)),
    "embedding_bag": ((5, "scale_grad_by_freq", False),),
    "gumbel_softmax": ((2, "hard", False),),
}
#: Functions that pass a gradient straight through a rounding.
_STRAIGHT_THROUGH = "fake_quantize"
#: Calls of custom functions that are kept, at most.
_CALLS = 64


class ExactCapture:
    """Implements :class:`unstuck.measure.step.ExactStep` for a captured step.

    Args:
        player: Plays the step in its own precision.
        everything: Values of all parameters of the optimizer.
        chosen: Which of them are variables, in order.
        layers: Names of the layers, with indices into the variables.

    Raises:
        NotMeasurable: An operation means nothing in double precision.
    """

    def __init__(
        self,
        player: Player,
        everything: Sequence[Tensor],
        chosen: Sequence[int],
        layers: Sequence[tuple[str, list[int]]],
    ) -> None:
        caster = _Caster()
        self._player = player.rewritten(caster.operation, caster.tensor)
        self._everything = [wide(p.detach()) for p in everything]
        self._chosen = list(chosen)
        self.params = [self._everything[i] for i in chosen]
        self.layers = list(layers)

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        """Return the scalar loss of the step's batch at ``params``, with the same random numbers every time."""
        return self._player.play(self._full(params))[0]

    def functions(self) -> list[CustomCall]:
        """Return the calls of custom ``autograd.Function`` classes, with what they were given."""
        calls: list[CustomCall] = []

        def kept(op: Op) -> Op:
            cls = custom_class(op)
            if cls is None:
                return op

            def call(*args: Any, **kwargs: Any) -> Any:
                if len(calls) < _CALLS:
                    calls.append(_custom_call(op, cls, args, kwargs))
                return op.func(*args, **kwargs)

            return replace(op, func=call)

        with torch.no_grad():
            self._player.rewritten(kept, lambda leaf: leaf).play(self._everything)
        return calls

    def _full(self, params: Sequence[Tensor]) -> list[Tensor]:
        full = list(self._everything)
        for place, value in zip(self._chosen, params, strict=True):
            full[place] = value
        return full


def custom_class(op: Op) -> type | None:
    """Return the ``autograd.Function`` class of an operation, None where it is none or one of torch's own."""
    func = op.func.func if isinstance(op.func, _Checked) else op.func
    cls: type | None = func.cls if isinstance(func, CustomFunction) else None
    return None if cls is None or cls.__module__.split(".")[0] == "torch" else cls


def wide(tensor: Tensor) -> Tensor:
    """Return a floating tensor in double precision, another one as it is."""
    if tensor.is_complex():
        return tensor.to(torch.complex128)
    if not tensor.is_floating_point():
        return tensor
    try:
        return tensor.double()
    except TypeError:
        raise NotMeasurable(f"the device {tensor.device.type} has no double precision") from None


class _Caster:
    """Writes operations anew; a tensor that several of them read is cast once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, Tensor]] = {}

    def tensor(self, tensor: Tensor) -> Tensor:
        """Return a tensor from outside the tape in double precision."""
        if id(tensor) not in self._known:
            self._known[id(tensor)] = (tensor, wide(tensor))
        return self._known[id(tensor)][1]

    def operation(self, op: Op) -> Op:
        """Return an operation in double precision."""
        if _STRAIGHT_THROUGH in op.name:
            raise NotMeasurable(f"{_place(op)} has another gradient than its own on purpose")
        args = tuple(self._value(value) for value in op.args)
        kwargs = {name: self._value(value) for name, value in op.kwargs.items()}
        for position, name, value in _SET.get(op.name, ()):
            args = tuple(value if i == position else arg for i, arg in enumerate(args))
            if name in kwargs:
                kwargs[name] = value
        func = _cast if op.name in _CASTS else op.func
        return replace(op, func=_Checked(func, _place(op)), args=args, kwargs=kwargs, autocast=None)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Constant):
            tensor = self.tensor(value.tensor)
            return Constant(tensor, tensor._version)
        if isinstance(value, torch.dtype):
            return torch.complex128 if value.is_complex else torch.float64 if value.is_floating_point else value
        if isinstance(value, (list, tuple)):
            items = [self._value(item) for item in value]
            if isinstance(value, list):
                return items
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        return value


def _cast(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    return wide(tensor)


class _Checked:
    """An operation in double precision that says so where it cannot be had."""

    def __init__(self, func: Callable[..., Any], place: str) -> None:
        self.func = func
        self._place = place

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = self.func(*args, **kwargs)
        except NotMeasurable:
            raise
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(". ")
            raise NotMeasurable(f"{self._place} does not run in double precision: {first}") from error
        for value in tensors_in(result):
            if (value.is_floating_point() or value.is_complex()) and value.dtype not in (
                torch.float64,
                torch.complex128,
            ):
                kind = str(value.dtype).removeprefix("torch.")
                raise NotMeasurable(f"{self._place} gives {kind} though it is given double precision")
        return result


def _place(op: Op) -> str:
    return f"{op.name} at {op.line.file}:{op.line.line}" if op.line else op.name


def _custom_call(op: Op, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CustomCall:
    """Keep one call: copies of its tensors, for what follows in the step may write to them."""
    given = [value.detach().clone() if isinstance(value, Tensor) else value for value in args]
    varied = [
        i for i, (value, recorded) in enumerate(zip(args, op.args, strict=True))
        if isinstance(recorded, Slot) and value.is_floating_point()
    ]  # fmt: skip
    states = op.random
    like = next(iter(tensors_in(args)), torch.empty(0))

    def call(*inputs: Any) -> Any:
        before = generator_states(like)
        if states is not None:
            set_generator_states(states, like)
        try:
            return op.func(*inputs, **kwargs)
        finally:
            set_generator_states(before, like)

    code = getattr(inspect.unwrap(cls.backward), "__code__", None)
    return CustomCall(
        name=cls.__name__,
        file=op.line.file if op.line else None,
        line=op.line.line if op.line else None,
        backward_file=shown(code.co_filename) if code else None,
        backward_line=code.co_firstlineno if code else None,
        arguments=_arguments(cls, len(given)),
        inputs=given,
        varied=varied,
        call=call,
    )


def _arguments(cls: Any, count: int) -> list[str]:
    """Return what the arguments of a function's ``forward`` are called."""
    try:
        names = list(inspect.signature(cls.forward).parameters)
    except (TypeError, ValueError):
        names = []
    if cls.setup_context is torch.autograd.Function.setup_context:
        names = names[1:]  # the context
    return [names[i] if i < len(names) else f"argument {i}" for i in range(count)]
