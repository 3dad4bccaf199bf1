"""Quickprop: each weight jumps to the minimum of the parabola through its last two slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT, _default_to_fused_or_foreach, _use_grad_for_differentiable

from unstuck.optim.parabola import foreach_update, update


class Quickprop(Optimizer):
    r"""Fahlman's Quickprop, for gradients of the full batch.

    Each weight is on its own: the error over it is taken for a parabola that opens upward, and its slope :math:`S` for
    one that no other weight changes. The slopes before and after the last step :math:`\Delta_{t-1}` then tell where the
    minimum is:

    .. math::
        S_t = \frac{\partial E}{\partial w} + \lambda w, \qquad
        \Delta_t = \frac{S_t}{S_{t-1} - S_t} \, \Delta_{t-1} - [S_t \Delta_{t-1} \le 0] \; \epsilon S_t, \qquad
        w \leftarrow w + \Delta_t

    The factor of :math:`\Delta_{t-1}` is :math:`\mu` at most, and is :math:`\mu` where the slope has grown or has
    hardly shrunk, :math:`|S_t| \ge \frac{\mu}{1 + \mu} |S_{t-1}|` on the same side of the minimum. The second term is
    a step of gradient descent, which starts a weight, and again after a step of zero. It is left out beyond the
    minimum, where the parabola leads back.

    The two slopes must be of the same error: **every step takes the gradient of all examples.** With mini-batches the
    difference of two slopes is mostly noise; take SGD or Adam for these. The scale of the loss matters: Fahlman's
    epsilon goes with an error *summed* over the examples.

    This is the variant of Fahlman's own programs (Quickprop of 1988, Cascade-Correlation of 1990). Others differ: some
    add the gradient term at every step or at the first only, some bound the step by a constant instead of
    :math:`\mu`. FANN and the program of 1988 in C count slopes downward, so that their decay has the other sign.

    Source: S. E. Fahlman, "An empirical study of learning speed in back-propagation networks", technical report
    CMU-CS-88-162, Carnegie Mellon University, 1988.

    The state of a parameter is ``slope`` (:math:`S_t`) and ``delta`` (:math:`\Delta_t`). Complex parameters are pairs
    of real ones. A gradient that is NaN or infinite makes its weight NaN.

    Example:
        >>> import torch, unstuck.optim
        >>> w = torch.zeros(2, requires_grad=True)
        >>> optimizer = unstuck.optim.Quickprop([w], lr=0.1)
        >>> for _ in range(8):
        ...     optimizer.zero_grad()
        ...     error = (w[0] - 1) ** 2 + 4 * (w[1] + 2) ** 2
        ...     error.backward()
        ...     optimizer.step()
        >>> w.detach().round(decimals=4).tolist()
        [1.0, -2.0]

        Fahlman divides epsilon by the number of inputs of a unit: :func:`fan_in_groups` makes the groups.

        >>> model = torch.nn.Linear(4, 1)
        >>> groups = unstuck.optim.fan_in_groups(model, lr=1.0)
        >>> unstuck.optim.Quickprop(groups).param_groups[0]["lr"]
        0.2

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Fahlman's epsilon, the rate of the gradient term; a tensor of one element is allowed.
        mu: Fahlman's highest growth of a step. 1.75 is his value; above about 2 some networks run away.
        weight_decay: The decay :math:`\lambda`.
        maximize: Go up instead of down.
        foreach: Step all tensors at once. None takes that where torch does, on accelerators. Both give the same bits.
        differentiable: Let autograd go through the step.

    Raises:
        ValueError: A value is not allowed; it names the value.
        RuntimeError: ``foreach`` and ``differentiable`` are both asked for.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        mu: float = 1.75,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
    ) -> None:
        defaults: dict[str, Any] = {
            "lr": lr,
            "mu": mu,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        _validate(defaults)
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters.

        Args:
            param_group: Its parameters, and the hyper-parameters that differ from the defaults.

        Raises:
            ValueError: A value is not allowed.
            RuntimeError: ``foreach`` and ``differentiable`` are both asked for.
        """
        if isinstance(param_group, dict):  # torch says what is wrong if not
            _validate({**self.defaults, **param_group})
        super().add_param_group(param_group)

    @_use_grad_for_differentiable
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Computes the loss and its gradient once more, and returns the loss.

        Returns:
            What the closure returned, or None.

        Raises:
            RuntimeError: A gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params, gradients, slopes, deltas = self._tensors(group)
            rule = {name: group[name] for name in ("lr", "mu", "weight_decay", "maximize")}
            if isinstance(rule["lr"], Tensor):
                rule["lr"] = rule["lr"].reshape(())  # so that it changes no shape and no type
            if _takes_all_at_once(group, params):
                foreach_update(params, gradients, slopes, deltas, **rule)
            else:
                update(params, gradients, slopes, deltas, **rule, differentiable=group["differentiable"])
        return loss

    def _tensors(self, group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """Return parameters that have a gradient, their gradients and their state, all real."""
        lists: tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]] = ([], [], [], [])
        for param in group["params"]:
            if param.grad is None:
                continue
            if param.grad.is_sparse:
                raise RuntimeError("Quickprop does not support sparse gradients")
            state = self.state[param]
            if not state:
                state["slope"] = torch.zeros_like(param, memory_format=torch.preserve_format)
                state["delta"] = torch.zeros_like(param, memory_format=torch.preserve_format)
            for own, tensor in zip(lists, (param, param.grad, state["slope"], state["delta"]), strict=True):
                own.append(torch.view_as_real(tensor) if torch.is_complex(tensor) else tensor)
        return lists


def _takes_all_at_once(group: dict[str, Any], params: list[Tensor]) -> bool:
    """Whether the group's tensors are stepped together; torch knows on which devices that is faster."""
    foreach: bool | None = group["foreach"]
    if foreach is None:
        _, foreach = _default_to_fused_or_foreach(params, group["differentiable"], use_fused=False)
    return foreach and bool(params)


def _validate(group: dict[str, Any]) -> None:
    lr, mu, decay = group["lr"], group["mu"], group["weight_decay"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not 0.0 < mu < math.inf:
        raise ValueError(f"Invalid mu value: {mu}")
    if not decay >= 0.0:
        raise ValueError(f"Invalid weight_decay value: {decay}")
    if group["foreach"] and group["differentiable"]:
        raise RuntimeError("`foreach` does not support `differentiable`")
