"""One forward pass of a network that leaves no trace: which layers and activations it calls, in what order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from unstuck.attach.calls import is_in_place, tensors_in
from unstuck.attach.layers import ACTIVATIONS
from unstuck.trials.inside.dry_run import run_through
from unstuck.trials.inside.stage import Stage

#: Functions that always have a weight, after their input.
_WEIGHED = frozenset("linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split())
#: Functions that are layers where one of their tensors is a weight.
_LAYERS = _WEIGHED | frozenset(
    "matmul __matmul__ __rmatmul__ mm bmm addmm einsum lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell "
    "rnn_relu_cell multi_head_attention_forward".split()
)
_NORMS = frozenset("batch_norm instance_norm group_norm layer_norm rms_norm".split())
_PRODUCTS = frozenset("mul __mul__ __rmul__ mul_ __imul__ multiply".split())
#: Activations that can be a gate.
_BOUNDED = frozenset("sigmoid tanh hardsigmoid hardtanh softsign softmax".split())
#: Entries of ``ACTIVATIONS`` that are as often something else.
_NOT_HERE = frozenset({"clamp", "clamp_min", "sin"})


@dataclass(frozen=True)
class Op:
    """A call of a layer, of a normalisation, or of an activation.

    Attributes:
        kind: Which of the three.
        name: Torch's name of the function: ``linear``, ``lstm``, ``sigmoid``.
        weight: Weight of a layer: the parameter, or a tensor that was made from parameters.
        module: Module that owns the weight; of an activation, the module of torch that is one, else None.
        line: Line of the program that made the call.
        reads: Indices of the calls whose results it reads with no layer between.
        hidden: Whether a later layer reads what it gives.
        gate: Whether it is bounded and its result is multiplied with something else that the network computes.
    """

    kind: Literal["layer", "norm", "activation"]
    name: str
    weight: Tensor | None
    module: nn.Module | None
    line: tuple[str, int] | None
    reads: frozenset[int]
    hidden: bool = False
    gate: bool = False

    @property
    def place(self) -> Hashable:
        """What its calls have in common in every forward pass: its module, else its line and name."""
        return (self.line, self.name) if self.module is None else id(self.module)


def rehearse(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Op]:
    """Run a network once, without a trace, and list its calls.

    Args:
        network: The network.
        args: What it is called with.
        kwargs: The same, by name.

    Returns:
        The calls in order; empty where the network does not run.
    """
    listener = _Listener(network)
    for tensor in tensors_in((args, dict(kwargs))):
        listener.since[tensor] = frozenset()
    with listener.listening():
        return listener.ops() if run_through(network, args, kwargs) else []


class _Listener(TorchFunctionMode):
    """Lists calls, and follows which results are computed from which."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.since: Any = WeakTensorKeyDictionary()  # tensor -> indices of calls that it is computed from
        self._ops: list[Op] = []
        self._hidden: set[int] = set()
        self._gates: set[int] = set()
        self._running: list[nn.Module] = []
        self._owners = {id(p): module for module in network.modules() for p in module._parameters.values()}

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to all calls of this thread."""

        def starts(module: nn.Module, args: Any) -> None:
            self._running.append(module)

        def ended(module: nn.Module, args: Any, result: Any) -> None:
            self._running.pop()

        handles = register_module_forward_pre_hook(starts), register_module_forward_hook(ended, always_call=True)
        try:
            with self:
                yield
        finally:
            for handle in handles:
                handle.remove()

    def ops(self) -> list[Op]:
        """Return the calls in order."""
        gates = {i for i in self._gates if self._ops[i].name in _BOUNDED}
        return [replace(op, hidden=i in self._hidden, gate=i in gates) for i, op in enumerate(self._ops)]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Pass the call on and note it."""
        kwargs = kwargs or {}
        given = list(tensors_in((args, kwargs)))
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        known = [self.since[tensor] for tensor in given if tensor in self.since]
        since: frozenset[int] = frozenset().union(*known)
        if name in _PRODUCTS and len(known) > 1:
            self._gates.update(known[0] ^ known[1])
        op = self._op(name, given, since, bool(known))
        if op is not None:
            if op.kind == "layer":
                self._hidden.update(since)
                since = frozenset()
            since |= {len(self._ops)}
            self._ops.append(op)
        if known or op is not None:
            written = given[:1] if is_in_place(name, args, kwargs) else []
            for tensor in (*tensors_in(result), *written):
                self.since[tensor] = since
        return result

    def _op(self, name: str, given: list[Tensor], since: frozenset[int], known: bool) -> Op | None:
        if name in _LAYERS:
            weight = _weight(name, given)
            if weight is not None:
                module = self._owners.get(id(weight)) or (self._running[-1] if self._running else None)
                return Op("layer", name, weight, module, Stage.line(), since)
        elif name in _NORMS:
            return Op("norm", name, None, self._running[-1] if self._running else None, Stage.line(), since)
        elif name in ACTIVATIONS and name not in _NOT_HERE and known:
            module = self._running[-1] if self._running else None
            own = type(module).__module__ == "torch.nn.modules.activation"
            return Op("activation", ACTIVATIONS[name], None, module if own else None, Stage.line(), since)
        return None


def _weight(name: str, given: list[Tensor]) -> Tensor | None:
    """Return the weight among the tensors of a call."""
    wide = [tensor for tensor in given if tensor.dim() > 1]
    for found in ([t for t in wide if isinstance(t, nn.Parameter)], [t for t in wide if t.is_leaf and t.requires_grad]):
        if found:
            return found[0]
    return given[1] if name in _WEIGHED and len(given) > 1 else None
