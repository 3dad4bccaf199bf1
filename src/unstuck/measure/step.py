"""What a measurement gets to see: one training step that can be computed again.

:class:`Step` is a protocol. ``unstuck.attach`` implements it for any program from a captured tape; the tests implement
it in a few lines for a model and a loss, as the slow and obvious reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

Family = Literal["sgd", "adam", "rmsprop", "other"]


@dataclass(frozen=True)
class UpdateRule:
    """The optimizer's rule at this step, one entry per parameter tensor where the rule can differ by group.

    Attributes:
        optimizer: Class name, such as ``"SGD"``.
        family: Which stability limit applies; ``other`` where none is known.
        lr: Learning rate per parameter tensor, length ``P``.
        momentum: Heavy-ball or Nesterov coefficient (``sgd``, ``rmsprop``), else 0.
        nesterov: Whether the momentum is Nesterov's.
        beta1: First-moment coefficient (``adam``), else 0.
        weight_decay: Weight decay per parameter tensor, length ``P``.
        decoupled: Whether the decay acts on the weights apart from the gradient (AdamW).
        preconditioner: Diagonal ``P`` of the update ``lr * P^-1 m`` per parameter tensor, or None for the identity. For
            Adam ``(1 - beta1^t) (sqrt(vhat) + eps)``.
    """

    optimizer: str
    family: Family
    lr: list[float]
    momentum: float
    nesterov: bool
    beta1: float
    weight_decay: list[float]
    decoupled: bool
    preconditioner: list[Tensor] | None


@dataclass(frozen=True)
class Activation:
    """An elementwise nonlinearity after a layer.

    Attributes:
        kind: ``sigmoid``, ``tanh``, ``relu``, ``gelu``, ``softmax``, ...
        output: Its output in this evaluation, same shape as the layer's pre-activation.
    """

    kind: str
    output: Tensor


@dataclass(frozen=True)
class LayerTrace:
    """One layer (a weight and what follows it) in one evaluation of the step.

    Attributes:
        name: Name of the layer, such as ``"encoder.0"``.
        kind: ``linear``, ``conv``, ``norm``, ``embedding``, ``recurrent``, ``attention`` or ``other``.
        parameters: Indices into ``Step.params``.
        input: The layer's input.
        pre: Its output before any activation, batch first; units along ``unit_dim``.
        unit_dim: Dimension of ``pre`` that counts units (1 for convolutions, last for linear layers).
        activation: The nonlinearity that reads ``pre``, if there is one.
    """

    name: str
    kind: str
    parameters: list[int]
    input: Tensor | None
    pre: Tensor
    unit_dim: int
    activation: Activation | None


@dataclass(frozen=True)
class Trace:
    """One evaluation of the step with the tensors of its layers, in the order in which they ran."""

    loss: Tensor
    layers: list[LayerTrace]


@dataclass(frozen=True)
class LossCall:
    """One use of a known loss function in the step.

    Attributes:
        kind: Torch's name of it, such as ``"cross_entropy"``, ``"mse_loss"`` or ``"nll_loss"``.
        prediction: What it was given as prediction, detached.
        target: What it was given as target.
        options: Other arguments by name (``weight``, ``ignore_index``, ``label_smoothing``, ``reduction``, ...).
        weight: Factor with which its value enters the step's loss (1/4 where four batches are accumulated).
        file: File of the program that called it.
        line: Line of it.
    """

    kind: str
    prediction: Tensor
    target: Tensor
    options: dict[str, object]
    weight: float
    file: str | None
    line: int | None


class Step(Protocol):
    """One training step of one optimizer, computed again as often as wanted, apart from the program's own step.

    All tensors are detached copies: nothing a measurement does can reach the program. ``P`` is the number of parameter
    tensors that the optimizer trains and that took part in the loss.
    """

    names: list[str]
    params: list[Tensor]  # values before the update
    grads: list[Tensor]  # gradient of the loss at ``params`` as replayed, decay not included
    real_grads: list[Tensor]  # gradient that the optimizer used (after clipping), decay not included
    updates: list[Tensor]  # values after the update minus values before
    rule: UpdateRule
    batch_size: int | None
    optimizer_step: int

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        """Return the scalar loss of this step's batch at ``params``, differentiable, with the step's own randomness."""
        ...

    @property
    def losses(self) -> list[LossCall]:
        """The known loss functions that the step called, with what they were given."""
        ...

    @property
    def inputs(self) -> Tensor | None:
        """What the first layer read, None where that is not a tensor of the program's data."""
        ...

    def output_tail(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        """Return the last layer's output ``[N, ..., K]`` and the loss as a function of it, None where not one thing."""
        ...

    def trace(self, params: Sequence[Tensor]) -> Trace:
        """Return the loss and the layers' tensors at ``params``, still connected for ``torch.autograd.grad``."""
        ...
