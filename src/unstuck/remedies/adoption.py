"""Giving an optimizer the parameters that get gradients and are in no optimizer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Adagrad, Optimizer

from unstuck.attach.untraced import stands_for, untraced
from unstuck.trials.inside.stage import Stage


class Adoption:
    """Adds parameters to the first group of the optimizer that counts, right before its first step.

    Which parameters the training uses is known only after a backward pass. Where the step itself makes it, through a
    closure, they are added before the second step.

    Args:
        stage: What a remedy takes hold of.
        kind: The remedy's kind.
        why_not: Why it has nothing to do where no parameter is to be added.
        among: The parameters that the remedy is about, a list that is filled until the first step; then it has found
            what it changes also where they are in an optimizer already. None for all parameters of all modules.
    """

    def __init__(self, stage: Stage, kind: str, why_not: str, among: Sequence[Tensor] | None = None) -> None:
        self._stage = stage
        self._kind = kind
        self._why_not = why_not
        self._among = among
        self._optimizers: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._networks: list[nn.Module] = []
        self._first: weakref.ref[Optimizer] | None = None
        self._over = False
        stage.when_optimizer_made(self._optimizers.add)
        stage.before_first_forward(self._met)
        stage.before_step(self._step_starts)
        # It divides the gradients of the optimizer's parameters: those that are added have to be there by then.
        stage.wrap(GradScaler, "unscale_", self._unscale)

    def _met(self, network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._networks.append(network)  # a copy of a network has never been made, as far as the stage knows

    def _unscale(self, original: Callable[..., Any]) -> Callable[..., Any]:
        look = untraced(self._look)

        @stands_for(original)
        def unscale_(scaler: GradScaler, optimizer: Optimizer) -> None:
            if scaler.is_enabled():
                look(optimizer)
            original(scaler, optimizer)

        return unscale_

    def _step_starts(self, optimizer: Optimizer, step: int) -> None:
        self._look(optimizer)
        if step > 0 and not self._over and self._first is not None and self._first() is optimizer:
            self._stage.cannot(self._kind, self._why_not)
            self._end()

    def _look(self, optimizer: Optimizer) -> None:
        counts = self._stage.counts
        if self._over or (counts is not None and not counts(optimizer)):
            return
        if self._first is None:
            self._first = weakref.ref(optimizer)
        if self._first() is not optimizer:
            return
        held = {id(p) for one in self._optimizers for group in one.param_groups for p in group["params"]}
        used = [p for p in self._parameters() if p.requires_grad and p.grad is not None]
        outside = [p for p in used if id(p) not in held]
        if outside and isinstance(optimizer, Adagrad):
            self._stage.cannot(self._kind, "Adagrad takes no parameters later than when it is made")
        elif outside or (self._among is not None and used):
            self._add(optimizer.param_groups[0], outside)
            self._stage.did(self._kind)
        else:
            return
        self._end()

    def _add(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Add to a group, not as a new one: schedulers count the groups."""
        group["params"].extend(parameters)
        if "param_names" in group:
            group["param_names"].extend(self._stage.modules.names_of(parameters)[0])

    def _parameters(self) -> list[Tensor]:
        if self._among is not None:
            return list(self._among)
        modules = [*self._networks, *self._stage.modules.alive()]
        return list({id(p): p for module in modules for p in module.parameters()}.values())

    def _end(self) -> None:
        self._over = True
        self._networks.clear()
