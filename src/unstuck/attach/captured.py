"""The replayable step: a captured step as the measurements see it, checked against the program's own gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.capture import Capture, Seen, local, parameters_of
from unstuck.attach.double import ExactCapture, custom_class
from unstuck.attach.heads import read_heads
from unstuck.attach.hooked import GradientDiffers, Hook, compare, hooks_of
from unstuck.attach.layers import TapeLayer, layer_name, read_layers, values_of
from unstuck.attach.losses import read_losses
from unstuck.attach.modes import read_modes
from unstuck.attach.replay import NotReplayable, Player
from unstuck.attach.response import read_response
from unstuck.attach.rules import read_rule
from unstuck.attach.tape import Constant, Op
from unstuck.measure.step import Activation, LayerTrace, LossCall, Response, Trace

#: Largest relative difference between the replayed and the real gradient, by precision.
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.02}


class CapturedStep:
    """Implements :class:`unstuck.measure.step.Step` for a step of any program.

    Args:
        capture: The round that the step belongs to.
        optimizer: The optimizer that has just stepped.
        names: Name of each of its parameter tensors.
        step: Number of the step, counted per optimizer from 0.

    Raises:
        NotReplayable: The step cannot be computed again, or what is computed is not what the program computed.
    """

    def __init__(self, capture: Capture, optimizer: Optimizer, names: Sequence[str], step: int) -> None:
        seen = capture.of(optimizer)
        if not seen.backwards:
            raise NotReplayable("no backward call was seen since the step before")
        everything = parameters_of(optimizer)
        self._cast = capture.tape.cast
        self._player = Player(capture.tape, seen.backwards, everything, capture.before)
        assert seen.before is not None
        self._chosen = sorted(i for i in self._player.reached if everything[i].requires_grad)
        if not self._chosen:
            raise NotReplayable("none of the parameters of this optimizer requires gradients")
        self._all_params = seen.before
        self.all_names = list(names)
        self.optimizer_step = step
        self.names = [names[i] for i in self._chosen]
        self.params = [seen.before[i] for i in self._chosen]
        self.updates = [local_difference(everything[i], seen.before[i]) for i in self._chosen]
        self.rule = read_rule(optimizer, self._chosen)
        used = [local(everything[i].grad) for i in self._chosen]
        self.real_grads = [torch.zeros_like(p) if g is None else g for g, p in zip(used, self.params, strict=True)]
        self.unreached = [n for i, n in enumerate(names) if i not in self._chosen]
        self.backwards = len(seen.backwards)
        self.tape_layers: list[TapeLayer] = read_layers(self._player.ops, self._player.place_of, list(names))
        self._index = {place: i for i, place in enumerate(self._chosen)}
        self.grads, self.losses, self.batch_size, self.inputs, self.value = self._evaluate()
        self.modes = read_modes(self._player.ops)
        self._check_unreached(seen, everything, capture.tape.troubles)
        self.error, self.scale = self._check(seen, hooks_of(capture.tape, self._player.ops, everything))

    @property
    def operations(self) -> list[Op]:
        """The operations that the loss is computed from, in order."""
        return self._player.ops

    def units_of(self, layer: TapeLayer) -> int:
        """Return the number of units of a layer in this step."""
        return self._units.get(layer.pre, 0)

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        """Return the scalar loss of this step's batch at ``params`` (see :class:`unstuck.measure.step.Step`)."""
        return self._player.play(self._full(params))[0]

    def trace(self, params: Sequence[Tensor]) -> Trace:
        """Return the loss and the layers' tensors at ``params``, still connected for ``torch.autograd.grad``."""
        total, env = self._player.play(self._full(params))
        layers = []
        for layer in self.tape_layers:
            read, pre, post = values_of(layer, env)
            if not isinstance(pre, Tensor):
                continue
            activation = Activation(layer.activation, post) if layer.activation and post is not None else None
            indices = [self._index[p] for p in layer.parameters if p in self._index]
            layers.append(LayerTrace(layer.name, layer.kind, indices, read, pre, layer.unit_dim, activation))
        return Trace(total, layers)

    def output_tail(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        """Return the network's output, and the loss as a function of it (see the protocol)."""
        last = next((layer for layer in reversed(self.tape_layers) if layer.kind != "embedding"), None)
        if last is None or len(self.losses) > 1 or self.backwards > 1:
            return None
        try:
            tail = self._player.tail(last.pre, self._full(self.params))
        except NotReplayable:
            return None
        with torch.no_grad():
            _, env = self._player.play(self._full(self.params))
        return env[last.pre], tail

    def exact(self) -> ExactCapture:
        """Return this step in double precision (see the protocol)."""
        return ExactCapture(self._player, self._all_params, self._chosen, self._layers)

    @cached_property
    def _layers(self) -> list[tuple[str, list[int]]]:
        """The layers in forward order with their parameters, then parameters that no layer uses; each once."""
        index = self._index
        uses = [(layer.name, layer.parameters) for layer in self.tape_layers]
        uses += [(layer_name([self.all_names[place]]), (place,)) for place in self._chosen]
        found: dict[str, list[int]] = {}
        seen: set[int] = set()
        for name, places in uses:
            for place in places:
                if place in index and place not in seen:
                    seen.add(place)
                    found.setdefault(name, []).append(index[place])
        return list(found.items())

    @property
    def layer_names(self) -> set[str]:
        """Names of the layers that took part."""
        return {layer.name for layer in self.tape_layers}

    @property
    def has_functions(self) -> bool:
        """Whether an ``autograd.Function`` of the user's own took part."""
        return any(custom_class(op) is not None for op in self._player.ops)

    def response(self) -> Response | None:
        """Return the network's output as a function of what it reads (see the protocol)."""
        return read_response(self._player, self.tape_layers, self._full(self.params))

    def _full(self, params: Sequence[Tensor]) -> list[Tensor]:
        """Put the variables among the optimizer's other parameters, which stay as they were."""
        full = list(self._all_params)
        for place, value in zip(self._chosen, params, strict=True):
            full[place] = value
        return full

    def _evaluate(self) -> tuple[list[Tensor], list[LossCall], int | None, Tensor | None, float]:
        started = perf_counter()
        variables = [p.detach().clone().requires_grad_() for p in self.params]
        with torch.enable_grad():
            total, env = self._player.play(self._full(variables))
            losses = read_losses(self._player.ops, env, total)
            self.heads = read_heads(self._player.ops, env, self.tape_layers, self._cast)
            grads = torch.autograd.grad(total, variables, allow_unused=True)
        self.seconds = perf_counter() - started
        self._units = {
            layer.pre: int(value.shape[layer.unit_dim])
            for layer in self.tape_layers
            if isinstance(value := env.get(layer.pre), Tensor) and value.dim() > 0
        }
        dense = [local(g) for g in grads]
        filled = [torch.zeros_like(p) if g is None else g for g, p in zip(dense, self.params, strict=True)]
        batch, inputs = self._batch(env)
        return filled, losses, batch, inputs, float(total.detach())

    def _batch(self, env: dict[int, Any]) -> tuple[int | None, Tensor | None]:
        """Return the size of the batch and the network's input: the first constant that a layer reads."""
        for layer in self.tape_layers:
            if isinstance(layer.input, Constant) and layer.input.tensor.dim() > 0:
                tensor, given = layer.input.tensor, env.get(layer.pre)
                if tensor.dim() > 1:
                    return int(tensor.shape[0]), tensor
                # One row of indices is one sequence, unless bags of them give a row each.
                rows = int(given.shape[0]) if isinstance(given, Tensor) and given.dim() > 1 else 1
                return rows if rows != len(tensor) else 1, tensor
        for op in self._player.ops:
            for value in op.args:
                if isinstance(value, Constant) and value.tensor.dim() > 1:
                    return int(value.tensor.shape[0]), value.tensor
        return None, None

    def _check(self, seen: Seen, hooks: Sequence[Hook]) -> tuple[float, float]:
        """Compare with the gradient that the program itself computed.

        Gradients left over from earlier steps are taken off the real one, and a common factor (a loss scale that was
        divided out again, data-parallel averaging over equal batches) is allowed and returned.
        """
        assert seen.raw is not None
        real = []
        for i, mine in zip(self._chosen, self.grads, strict=True):
            raw = seen.raw[i]
            stale = seen.stale[i] if seen.stale is not None else None
            raw = torch.zeros_like(mine) if raw is None else raw
            real.append(raw if stale is None else raw - stale)
        if not all(bool(torch.isfinite(g).all()) for g in (*real, *self.grads)):
            return math.nan, 1.0  # nothing to compare; the measurements say where it arose
        cross, own, theirs = _products(self.grads, real)
        if own == 0 or theirs == 0:
            if own == theirs:
                return 0.0, 1.0
            message = f"the replayed gradient has norm {own**0.5:.3g}, the real one {theirs**0.5:.3g}"
            raise GradientDiffers(message, hooks, compare(self._layers, self.grads, real, hooks))
        scale = cross / own
        error = math.sqrt(max(theirs - cross * cross / own, 0.0) / theirs)
        limit = max(_TOLERANCE.get(p.dtype, 1e-3) for p in self.params)
        if any(op.autocast for op in self._player.ops):
            limit = max(limit, 0.05)
        if error > limit or scale <= 0:
            message = f"the replayed gradient differs from the program's own by {max(error, 1e-9):.2g} of its norm"
            raise GradientDiffers(message, hooks, compare(self._layers, self.grads, real, hooks))
        return error, scale

    def _check_unreached(self, seen: Seen, everything: Sequence[Tensor], troubles: Sequence[str]) -> None:
        """Check that no gradient went to a parameter that the replay does not reach."""
        assert seen.raw is not None
        for i, raw in enumerate(seen.raw):
            if i in self._index or raw is None or not everything[i].requires_grad:
                continue
            stale = seen.stale[i] if seen.stale is not None else None
            if bool((raw if stale is None else raw - stale).any()):
                trouble = f": {troubles[0]}" if troubles else ""
                raise NotReplayable(f"{self.all_names[i]} gets a gradient on a way that cannot be seen{trouble}")


def _products(a: Sequence[Tensor], b: Sequence[Tensor]) -> tuple[float, float, float]:
    """Return <a, b>, <a, a> and <b, b> in double precision."""
    cross = own = theirs = 0.0
    for x, y in zip(a, b, strict=True):
        x64, y64 = x.double().flatten(), y.double().flatten()
        cross += float(x64 @ y64)
        own += float(x64 @ x64)
        theirs += float(y64 @ y64)
    return cross, own, theirs


def local_difference(after: Tensor, before: Tensor) -> Tensor:
    """Return ``after - before`` for the part of a parameter that lies in this process."""
    now = local(after)
    assert now is not None
    return now - before
