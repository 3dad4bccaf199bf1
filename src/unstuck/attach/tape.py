"""The tape: what a step computed, operation by operation, as torch itself sees it.

A ``TorchFunctionMode`` is laid at the bottom of torch's mode stack for the length of a probe round. It sees every call
of a torch function that takes a tensor, whether a module, a functional loss or a hand-written formula makes it, and
keeps those through which a gradient flows. Modules need not be known, and no Python code of the program runs a second
time when the tape is played again.

Some calls do not pass through torch functions: compiled modules, TorchScript and custom ``autograd.Function``. The
first is expanded by running its original module once under the tape; the last is put on the tape as it is.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.attach.calls import (
    autocast_state,
    first_tensor,
    flat,
    generator_states,
    is_in_place,
    storage_of,
    tensors_in,
    without_side_effects,
)
from unstuck.attach.sources import Line, user_line

#: Functions that draw random numbers while a gradient flows through them (those without a gradient are constants).
_RANDOM = frozenset(
    "rrelu rrelu_ bernoulli bernoulli_ normal normal_ uniform_ exponential_ geometric_ cauchy_ log_normal_ random_ "
    "gumbel_softmax scaled_dot_product_attention multi_head_attention_forward lstm gru rnn_tanh rnn_relu "
    "_standard_gamma poisson multinomial fractional_max_pool2d fractional_max_pool3d".split()
)
#: Called with a tensor that requires gradients, but not part of what the loss is computed from.
_ASIDE = frozenset(
    "backward register_hook retain_grad requires_grad_ __get__ __set__ __delete__ __repr__ __format__ item tolist "
    "numpy __len__ size dim stride numel is_contiguous data_ptr register_post_accumulate_grad_hook __hash__ "
    "__bool__ detach "
    "__array__".split()
)
#: Operations by which a layer uses its weights; others, such as a norm, only read them.
_LAYERS = frozenset(
    "linear bilinear matmul __matmul__ mm addmm einsum conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
    "embedding lstm gru rnn_tanh rnn_relu".split()
)
_CASTS = frozenset("float double half bfloat16 to type".split())
#: Ways out of the graph.
_CUTS = frozenset("detach data item tolist numpy __array__".split())
_DIFFERENTIABLE_PROPERTIES = frozenset("T mT H mH real imag".split())


@dataclass(slots=True)
class Slot:
    """Stands, in a recorded call, for a tensor that a replay computes or is given."""

    index: int


@dataclass(slots=True)
class Constant:
    """A tensor that came from outside the tape, such as a batch of inputs.

    Attributes:
        tensor: Held as it is: replays start before the program can reuse its memory.
        version: Its modification count when it was used; a later count means that its values are gone.
    """

    tensor: Tensor
    version: int


@dataclass(slots=True)
class Op:
    """One recorded call.

    Attributes:
        func: What torch called.
        args: Its arguments, tensors replaced by :class:`Slot` or :class:`Constant`.
        kwargs: The same for keywords.
        outputs: Slots of its output tensors by position in the flattened output (``None`` for other values).
        name: Short name, such as ``"linear"``.
        autocast: ``(device type, dtype)`` where autocast was on.
        random: Generator states before the call, for calls that draw random numbers.
        line: Line of the user's program that led to it.
        made: Line that made the innermost module that it was called from.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[int | None]
    name: str
    autocast: tuple[str, torch.dtype] | None
    random: dict[str, Tensor] | None
    line: Line | None
    inputs: list[int] = field(default_factory=list)
    in_place: bool = False
    made: Line | None = None


@dataclass(slots=True)
class Cut:
    """A value that the program took out of the graph.

    Attributes:
        name: How: ``detach``, ``data``, ``item``, ``tolist`` or ``numpy``.
        slot: The value.
        line: Line of the program.
        position: Operations on the tape before it.
        read: Operations on the tape when the value taken out was first used again.
    """

    name: str
    slot: int
    line: Line | None
    position: int
    read: int | None = None


@dataclass(slots=True)
class Backward:
    """A call of ``backward``: which slots it started from, with which weights, after how many operations."""

    roots: list[int | None]
    weights: list[Any]
    position: int
    thread_step: int


class SideEffect(Exception):
    """A second run of a part of the program was about to change something; the message says what."""


class Tape:
    """The operations of one probe round, and the slots of the parameters they read.

    Attributes:
        ops: Recorded calls in order.
        leaves: Leaf tensors (parameters first seen as inputs) by slot; one that a step changed has a slot before and
            one after.
        versions: Modification count that each of these slots stands for.
        backwards: The backward calls of the round.
        troubles: Why the tape may not be complete, in words.
        fault: A fault of ours while recording, None where there was none.
        cuts: Values taken out of the graph.
        hooks: Hooks registered on tensors of the graph: what they are called, and the line that registered them.
        hidden: Weights used where no graph is recorded (``torch.no_grad()``), by id, with the line of the first use.
        made: Line that made the module whose call is being recorded.
        frozen: Memory of the frozen weights that were used before any gradient flows.
        cast: Memory of floating numbers that were cast from whole ones.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.leaves: dict[int, Tensor] = {}
        self.versions: dict[int, int] = {}
        self.backwards: list[Backward] = []
        self.troubles: list[str] = []
        self.fault: Exception | None = None
        self.cuts: list[Cut] = []
        self.hooks: list[tuple[str, Line | None]] = []
        self.hidden: dict[int, Line | None] = {}
        self.frozen: set[int] = set()
        self.cast: set[int] = set()
        self.made: Line | None = None
        self._cut_values: dict[int, tuple[weakref.ref[Tensor], Cut]] = {}
        self._slots: dict[int, tuple[weakref.ref[Tensor], int]] = {}
        self._count = 0
        self._fresh: set[int] | None = None

    def slot_of(self, tensor: Tensor) -> int | None:
        """Return the slot of a tensor that the tape knows, else None."""
        entry = self._slots.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None

    def leaf_slot(self, tensor: Tensor) -> int:
        """Return the slot of a leaf tensor, a new one where it is new or was changed (by a step) since its last use."""
        slot = self.slot_of(tensor)
        if slot is None or (slot in self.versions and self.versions[slot] != tensor._version):
            slot = self._new_slot(tensor)
            self.leaves[slot] = tensor
            self.versions[slot] = tensor._version
        return slot

    def alias(self, tensor: Tensor, known: Tensor) -> None:
        """Let ``tensor`` stand for the slot of ``known``, where the tape knows that one."""
        slot = self.slot_of(known)
        if slot is not None:
            self._slots[id(tensor)] = (weakref.ref(tensor), slot)

    def _new_slot(self, tensor: Tensor) -> int:
        slot = self._count
        self._count += 1
        self._slots[id(tensor)] = (weakref.ref(tensor), slot)
        return slot

    def record(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], random: bool = False
    ) -> Any:
        """Make the call ``func(*args, **kwargs)`` and put it on the tape if a gradient flows through it.

        Args:
            func: The torch function.
            args: Its arguments, as the program gave them.
            kwargs: Its keyword arguments.
            random: Whether it may draw random numbers though its name does not tell.

        Returns:
            What the call returned.
        """
        name = getattr(func, "__name__", type(func).__name__)
        if self._fresh is not None:
            return self._record_second_run(func, args, kwargs, name, random)
        if not torch.is_grad_enabled():
            if name in _LAYERS:
                self._guarded(self._note_hidden, tensors_in((args, kwargs)))
            return func(*args, **kwargs)
        if not self._differentiates(func, name):
            result = func(*args, **kwargs)
            self._guarded(self._note_cut, func, name, args, result)
            self._guarded(self._note_hook, name, args, kwargs)
            return result
        draft = self._guarded(self._draft, func, args, kwargs, name, random)
        result = func(*args, **kwargs)
        if draft is None and name in _CASTS:
            self._guarded(self._note_cast, args, result)
        if draft is not None:
            self._guarded(self._complete, draft, first_tensor(args, kwargs), result)
        return result

    def _guarded(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a part of the recording; a fault of ours ends the recording, not the program's forward pass."""
        if self.fault is None:
            try:
                return function(*args)
            except Exception as error:
                self.fault = error
                self.troubles.insert(0, f"recording failed with {type(error).__name__}: {error}")
        return None

    def _draft(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str, random: bool
    ) -> Op | None:
        """Return what is known about a call before it is made; None where no gradient flows through it."""
        tracked = next((tensor for tensor in tensors_in((args, kwargs)) if tensor.requires_grad), None)
        if tracked is None:
            weights = (t for t in tensors_in((args, kwargs)) if isinstance(t, nn.Parameter))
            self.frozen.update(storage_of(weight) for weight in weights)
            return None
        in_place = is_in_place(name, args, kwargs)
        if in_place and tracked is first_tensor(args, kwargs) and tracked.is_leaf:
            return None  # initialisation: torch lets nothing else write to such a leaf
        kept_args, kept_kwargs = without_side_effects(name, args, kwargs)
        inputs: list[int] = []
        # An argument that is written to must be kept as it was before.
        target = first_tensor(args, kwargs) if in_place else None
        frozen_args = self._freeze(kept_args, inputs, target)
        frozen_kwargs = self._freeze(kept_kwargs, inputs, target)
        states = generator_states(tracked) if random or name in _RANDOM or "dropout" in name else None
        autocast = autocast_state(tracked)
        line = user_line()
        return Op(func, frozen_args, frozen_kwargs, [], name, autocast, states, line, inputs, in_place, self.made)

    def _complete(self, op: Op, target: Tensor | None, result: Any) -> None:
        """Add what the call returned, and put it on the tape if a gradient flows on from it."""
        if op.in_place and not isinstance(result, Tensor):
            op.outputs = [self.slot_of(target) if target is not None else None]
        else:
            op.outputs = [
                self._output_slot(value) if isinstance(value, Tensor) and value.requires_grad else None
                for value in flat(result)
            ]
        if any(slot is not None for slot in op.outputs):
            self.ops.append(op)

    def _note_hidden(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            if tensor.requires_grad and tensor.is_leaf and id(tensor) not in self.hidden:
                self.hidden[id(tensor)] = user_line()

    def _note_cast(self, args: tuple[Any, ...], result: Any) -> None:
        """Remember that numbers of the program were whole by their type before they were cast."""
        whole = args and isinstance(args[0], Tensor) and not args[0].is_floating_point()
        if whole and isinstance(result, Tensor) and result.is_floating_point():
            self.cast.add(storage_of(result))

    def note_unseen(self, module: nn.Module) -> None:
        """Note that a module runs where no graph is recorded."""
        self._guarded(self._note_hidden, module.parameters())

    def _note_cut(self, func: Callable[..., Any], name: str, args: tuple[Any, ...], result: Any) -> None:
        if name == "__get__":
            name = str(getattr(getattr(func, "__self__", None), "__name__", ""))
        slot = self.slot_of(args[0]) if name in _CUTS and args and isinstance(args[0], Tensor) else None
        if slot is None or slot in self.leaves:
            return
        cut = Cut(name, slot, user_line(), len(self.ops))
        self.cuts.append(cut)
        if isinstance(result, Tensor):
            self._cut_values[id(result)] = (weakref.ref(result), cut)

    def _note_hook(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if name == "register_hook":
            hook = kwargs.get("hook", args[1] if len(args) > 1 else None)
            self.hooks.append((str(getattr(hook, "__name__", type(hook).__name__)), user_line()))

    @property
    def runs_again(self) -> bool:
        """Whether :meth:`second_run` is entered."""
        return self._fresh is not None

    @contextlib.contextmanager
    def second_run(self, copies: Sequence[Tensor]) -> Iterator[None]:
        """While entered, the program's code runs a second time: only tensors that it makes itself may be written to.

        Args:
            copies: Tensors that may be written to as well.

        Yields:
            Once.
        """
        self._fresh = {storage_of(tensor) for tensor in copies}
        try:
            yield
        finally:
            self._fresh = None

    def _record_second_run(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str, random: bool
    ) -> Any:
        assert self._fresh is not None
        args, kwargs = without_side_effects(name, args, kwargs)
        if name in ("backward", "__set__", "__delete__", "set_", "resize_"):
            raise SideEffect(f"compiled code that calls {name} cannot be run once more")
        if is_in_place(name, args, kwargs):
            for target in tensors_in((args[:1], kwargs.get("out"))):
                if storage_of(target) not in self._fresh:
                    shape = list(target.shape)
                    raise SideEffect(f"compiled code changes a tensor of shape {shape} in place")
        fresh, self._fresh = self._fresh, None
        try:
            result = self.record(func, args, kwargs, random)
        finally:
            self._fresh = fresh
        given = {storage_of(tensor) for tensor in tensors_in((args, kwargs))}
        fresh.update(s for tensor in tensors_in(result) if (s := storage_of(tensor)) not in given)
        return result

    def note_backward(self, roots: list[Tensor], weights: list[Any], step: int) -> None:
        """Note a backward call from these tensors."""
        self.backwards.append(Backward([self.slot_of(root) for root in roots], weights, len(self.ops), step))

    @staticmethod
    def _differentiates(func: Callable[..., Any], name: str) -> bool:
        if name == "__get__":
            owner = getattr(func, "__self__", None)
            return getattr(owner, "__name__", "") in _DIFFERENTIABLE_PROPERTIES
        return name not in _ASIDE

    def _output_slot(self, tensor: Tensor) -> int:
        known = self.slot_of(tensor)
        return known if known is not None else self._new_slot(tensor)

    def _freeze(self, value: Any, inputs: list[int], target: Tensor | None) -> Any:
        """Return ``value`` with tensors replaced by slots and constants; slots read are appended to ``inputs``."""
        if isinstance(value, Tensor):
            slot = self.slot_of(value)
            if value.requires_grad and value.is_leaf and (slot is None or slot in self.leaves):
                slot = self.leaf_slot(value)
            if slot is None and value.requires_grad:
                trouble = f"a tensor of shape {list(value.shape)} was computed before the step or out of sight"
                node = type(value.grad_fn).__name__
                self.troubles.append(f"{trouble} ({node})")
            if slot is None:
                entry = self._cut_values.get(id(value))
                if entry is not None and entry[0]() is value and entry[1].read is None:
                    entry[1].read = len(self.ops)
                kept = value.detach()
                if value is target:
                    kept = kept.clone()
                    slot = self._new_slot(value)
                    self.ops.append(
                        Op(_copy_of, (Constant(kept, kept._version),), {}, [slot], "copy", None, None, None)
                    )
                    inputs.append(slot)
                    return Slot(slot)
                return Constant(kept, kept._version)
            inputs.append(slot)
            return Slot(slot)
        if isinstance(value, (list, tuple)):
            items = [self._freeze(item, inputs, target) for item in value]
            if isinstance(value, list):
                return items
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, dict):
            return {key: self._freeze(item, inputs, target) for key, item in value.items()}
        return value


def _copy_of(tensor: Tensor) -> Tensor:
    return tensor.clone()
