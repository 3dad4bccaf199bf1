"""Playing a tape again: the loss of a captured step as a function of the parameters."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unstuck.attach.calls import generator_states, set_generator_states
from unstuck.attach.tape import Backward, Constant, Op, Slot, Tape

_ATTENTION = frozenset({"scaled_dot_product_attention", "multi_head_attention_forward"})
_RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"})


#: Values of parameters before a step, by the parameter's id and its modification count then.
Before = Mapping[tuple[int, int], Tensor]


class NotReplayable(Exception):
    """The step cannot be computed again; the message says why."""


class Player:
    """Computes the loss of captured backward calls again, at any values of the parameters.

    Args:
        tape: The round's tape.
        backwards: The backward calls whose losses add up to the step's.
        parameters: Leaf tensors that are variables; the values come with each call of :meth:`play`.
        before: Values that parameters had before the steps of this round, by id and modification count.

    Raises:
        NotReplayable: A loss is not on the tape, or a tensor that it needs was changed meanwhile.
    """

    def __init__(self, tape: Tape, backwards: Sequence[Backward], parameters: Sequence[Tensor], before: Before) -> None:
        self._roots: list[tuple[int, Any]] = []
        for call in backwards:
            pairs = zip(call.roots, call.weights, strict=True)
            self._roots += [(slot, weight) for slot, weight in pairs if slot is not None]
        if any(slot is None for call in backwards for slot in call.roots):
            trouble = f": {tape.troubles[0]}" if tape.troubles else " (compiled whole, scripted, or outside torch)"
            raise NotReplayable(f"the loss was computed by operations that cannot be seen{trouble}")
        self.ops = needed(tape, {slot for slot, _ in self._roots}, backwards)
        used = {slot for op in self.ops for slot in op.inputs} | {slot for slot, _ in self._roots}
        index_of = {id(p): index for index, p in enumerate(parameters)}
        self._places: dict[int, int] = {}
        self._others: dict[int, Tensor] = {}
        for slot in sorted(used & tape.leaves.keys()):
            leaf, version = tape.leaves[slot], tape.versions[slot]
            index = index_of.get(id(leaf))
            if index is None:
                self._others[slot] = _value_of(leaf, version, before)
            elif (id(leaf), version) in before:
                self._places[slot] = index
            else:
                raise NotReplayable(f"a parameter of shape {list(leaf.shape)} was changed between its use and the step")
        if not self._places:
            trouble = f": {tape.troubles[0]}" if tape.troubles else ""
            raise NotReplayable(f"the loss does not depend on any parameter of this optimizer{trouble}")
        for op in self.ops:
            check_unchanged(op)
        self._inner_gradient = any(op.name == "grad" for op in self.ops)
        names = {op.name for op in self.ops}
        self._attention, self._recurrent = bool(names & _ATTENTION), bool(names & _RECURRENT)
        self._random = next((op.random for op in self.ops if op.random is not None), None)

    @property
    def reached(self) -> set[int]:
        """Indices of the parameters that the loss is computed from."""
        return set(self._places.values())

    def place_of(self, slot: int) -> int | None:
        """Return the index of the parameter that a slot stands for, None where it is none."""
        return self._places.get(slot)

    def rewritten(self, change: Callable[[Op], Op], leaf: Callable[[Tensor], Tensor]) -> Player:
        """Return a player of the same step with every operation written anew.

        Args:
            change: Gives the operation to make in the place of one.
            leaf: Gives the value of a leaf that is no parameter of this optimizer.

        Returns:
            Another player; this one stays as it is.
        """
        other = copy.copy(self)
        other.ops = [change(op) for op in self.ops]
        other._others = {slot: leaf(value) for slot, value in self._others.items()}
        return other

    def play(self, params: Sequence[Tensor]) -> tuple[Tensor, dict[int, Any]]:
        """Compute the loss at ``params``.

        Args:
            params: One tensor per parameter, as given to the constructor.

        Returns:
            The scalar loss, and the values of all slots by index.
        """
        env: dict[int, Any] = {}
        with contextlib.ExitStack() as stack:
            if self._inner_gradient:
                stack.enter_context(torch.enable_grad())
                params = [p if p.requires_grad else p.detach().requires_grad_() for p in params]
            self._exact_kernels(stack)
            if self._random is not None:
                like = params[next(iter(self._places.values()))]
                stack.callback(set_generator_states, generator_states(like), like)
            for slot, index in self._places.items():
                env[slot] = params[index]
            for slot, leaf in self._others.items():
                env[slot] = leaf.detach().requires_grad_() if torch.is_grad_enabled() else leaf
            self._run(env)
        return self._total(env), env

    def _total(self, env: dict[int, Any]) -> Tensor:
        total: Tensor | None = None
        for slot, weight in self._roots:
            value = env[slot] if weight is None else (env[slot] * weight)
            value = value.sum() if value.dim() else value
            total = value if total is None else total + value
        assert total is not None
        return total

    def tail(self, slot: int, params: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
        """Return the loss as a function of one intermediate value, all that does not come after it held fixed.

        Args:
            slot: The value, such as the network's output.
            params: One tensor per parameter.

        Returns:
            A function from a tensor of the value's shape to the scalar loss.

        Raises:
            NotReplayable: It is unclear what comes after the value: operations in place, or a gradient in the loss.
        """
        if any(op.in_place for op in self.ops):
            raise NotReplayable("operations in place follow the network's output")
        if self._inner_gradient:
            raise NotReplayable("a gradient is a part of the loss")
        with torch.no_grad():
            _, env = self.play(params)
        after = {slot}
        ops = []
        for op in self.ops:
            if any(i in after for i in op.inputs) and slot not in op.outputs:
                after.update(o for o in op.outputs if o is not None)
                ops.append(op)
        fixed = {s: v.detach() if isinstance(v, Tensor) else v for s, v in env.items() if s not in after}

        def loss(value: Tensor) -> Tensor:
            values = {**fixed, slot: value}
            self.run(values, ops)
            return self._total(values)

        return loss

    def run(self, env: dict[int, Any], ops: Sequence[Op]) -> None:
        """Compute a part of the tape.

        Args:
            env: Values by slot: those that the part needs; what it computes is added.
            ops: The operations, in order.
        """
        random = next((op.random for op in ops if op.random is not None), None)
        with contextlib.ExitStack() as stack:
            if random is not None:
                like = next(value for value in env.values() if isinstance(value, Tensor))
                stack.callback(set_generator_states, generator_states(like), like)
            self._run(env, ops)

    def _run(self, env: dict[int, Any], ops: Sequence[Op] | None = None) -> None:
        autocast: tuple[str, torch.dtype] | None = None
        with contextlib.ExitStack() as stack:
            stack.enter_context(_no_autocast(env))
            inner = stack.enter_context(contextlib.ExitStack())
            for op in self.ops if ops is None else ops:
                if op.autocast != autocast:
                    inner.close()
                    autocast = op.autocast
                    if autocast is not None:
                        kind, dtype = autocast
                        inner.enter_context(torch.autocast(kind, dtype=dtype, cache_enabled=False))
                if op.random is not None:
                    like = next(value for value in env.values() if isinstance(value, Tensor))
                    set_generator_states(op.random, like)
                result = op.func(*thaw(op.args, env), **thaw(op.kwargs, env))
                _bind(op, result, env)

    def _exact_kernels(self, stack: contextlib.ExitStack) -> None:
        """Choose kernels that can be differentiated twice where torch has a faster one that cannot."""
        if self._attention:
            stack.enter_context(torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        if self._recurrent:
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
            if torch.backends.cudnn.is_available():
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))


@contextlib.contextmanager
def _no_autocast(env: dict[int, Any]) -> Iterator[None]:
    kinds = {value.device.type for value in env.values() if isinstance(value, Tensor)}
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def thaw(value: Any, env: dict[int, Any]) -> Any:
    """Return recorded arguments with slots replaced by their values in ``env`` and constants by their tensors."""
    if isinstance(value, Slot):
        return env[value.index]
    if isinstance(value, Constant):
        return value.tensor
    if isinstance(value, (list, tuple)):
        items = [thaw(item, env) for item in value]
        if isinstance(value, list):
            return items
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, dict):
        return {key: thaw(item, env) for key, item in value.items()}
    return value


def _value_of(leaf: Tensor, version: int, before: Before) -> Tensor:
    """Return what a leaf of another optimizer, or of none, held when it was used."""
    if leaf._version == version:
        return leaf.detach()
    if (id(leaf), version) in before:
        return before[id(leaf), version].detach()
    raise NotReplayable(f"a weight of shape {list(leaf.shape)} was changed between its use and the step")


def _bind(op: Op, result: Any, env: dict[int, Any]) -> None:
    if op.in_place and not isinstance(result, Tensor):
        return  # the slot's tensor was changed where it is
    stack = [result] if isinstance(result, Tensor) else _leaves(result)
    for slot, value in zip(op.outputs, stack, strict=False):
        if slot is not None:
            env[slot] = value


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [value]


def needed(tape: Tape, roots: set[int], backwards: Sequence[Backward]) -> list[Op]:
    """Return the operations that the roots are computed from, in order.

    Where an operation writes in place, which later one sees it cannot be told from the slots alone (views share
    memory); then all operations up to the last root are kept.

    Args:
        tape: The round's tape.
        roots: Slots that are wanted.
        backwards: The backward calls that start from them.

    Returns:
        A part of ``tape.ops``.
    """
    last = max(call.position for call in backwards)
    ops = tape.ops[:last]
    if any(op.in_place for op in ops):
        return list(ops)
    wanted = set(roots)
    kept: list[Op] = []
    for op in reversed(ops):
        if any(slot in wanted for slot in op.outputs if slot is not None):
            kept.append(op)
            wanted.update(op.inputs)
    return kept[::-1]


def check_unchanged(op: Op) -> None:
    """Check that the constants of an operation still hold what they held when it ran.

    Args:
        op: A recorded operation.

    Raises:
        NotReplayable: One was changed in place since.
    """
    for constant in constants_in((op.args, op.kwargs)):
        if constant.tensor._version != constant.version:
            where = f" at {op.line.file}:{op.line.line}" if op.line else ""
            shape = list(constant.tensor.shape)
            raise NotReplayable(f"an input of {op.name}{where}, of shape {shape}, was changed in place after its use")


def constants_in(value: Any) -> Iterator[Constant]:
    """Yield the constants among (nested) arguments."""
    if isinstance(value, Constant):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from constants_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from constants_in(item)
