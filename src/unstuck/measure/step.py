"""What a measurement gets to see: one training step that can be computed again.

:class:`Step` is a protocol. ``unstuck.attach`` implements it for any program from a captured tape; the tests implement
it in a few lines for a model and a loss, as the slow and obvious reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

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


@dataclass(frozen=True)
class Link:
    """A nonlinearity between the last layer and the loss.

    Attributes:
        name: Torch's name of it, such as ``"softmax"``.
        dim: Dimension that it normalises over; None where it works element by element.
        direct: Whether nothing but changes of shape lies between it and the loss.
        file: File of the program that made it (or that called it).
        line: Line of it.
    """

    name: str
    dim: int | None
    direct: bool
    file: str | None
    line: int | None


@dataclass(frozen=True)
class Head:
    """A place where outputs meet targets.

    Attributes:
        kind: Name of the loss function; ``"squared error"`` or ``"absolute error"`` where it is written by hand.
        prediction: What is compared, detached.
        target: What it is compared with.
        options: Other arguments of the loss function by name.
        links: Nonlinearities between the last layer and here, the last one first.
        broadcast: The common shape, where both prediction and target were blown up to it; else None.
        file: File of the program.
        line: Line of it.
        whole: Whether the program made the targets from whole numbers.
    """

    kind: str
    prediction: Tensor
    target: Tensor
    options: dict[str, object]
    links: tuple[Link, ...]
    broadcast: list[int] | None
    file: str | None
    line: int | None
    whole: bool = False


@dataclass(frozen=True)
class Modes:
    """How the step's own layers were set.

    Attributes:
        norms_training: Batch normalisations that used the batch's statistics.
        norms_evaluating: Those that used running statistics.
        norms_fresh: Those of them whose running statistics are still the initial 0 and 1.
        dropouts_on: Dropout calls that dropped.
        dropouts_off: Dropout calls with a rate above 0 that did not.
        autocast: Type that autocast used, such as ``"bfloat16"``; None where it was off.
        file: File of the first evaluating layer.
        line: Line of it.
    """

    norms_training: int = 0
    norms_evaluating: int = 0
    norms_fresh: int = 0
    dropouts_on: int = 0
    dropouts_off: int = 0
    autocast: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class CustomCall:
    """One call of an ``autograd.Function`` of the user's own, to be made alone.

    Attributes:
        name: Its class.
        file: File of the program that called it.
        line: Line of it.
        backward_file: File in which its ``backward`` is written.
        backward_line: Line of it.
        arguments: Names of the arguments of ``forward``.
        inputs: What it was given in this step, floating tensors in float64.
        varied: Positions of the inputs that a gradient flows to.
        call: Calls it, with the random numbers of this step.
    """

    name: str
    file: str | None
    line: int | None
    backward_file: str | None
    backward_line: int | None
    arguments: list[str]
    inputs: list[Any]
    varied: list[int]
    call: Callable[..., Any]


class ExactStep(Protocol):
    """A step in float64: the same operations on the same batch, in which rounding plays no part."""

    params: list[Tensor]  # those of ``Step.params``, in float64
    layers: list[tuple[str, list[int]]]  # names in forward order, with indices into ``params``; each parameter once

    def loss(self, params: Sequence[Tensor]) -> Tensor:
        """Return the scalar loss at ``params``, with the same random numbers every time.

        Raises:
            NotMeasurable: An operation of the program does not run in float64.
        """
        ...

    def functions(self) -> list[CustomCall]:
        """Return the calls of custom ``autograd.Function`` classes, with what they were given."""
        ...


@dataclass(frozen=True)
class Response:
    """The network's output as a function of what it reads.

    Attributes:
        inputs: What the first layer reads; what the embedding gives where that is indices.
        output: The output at other inputs of the same shape, differentiable, with the step's own weights and
            randomness. Batch normalisations take the batch's statistics as fixed numbers.
        norms: Whether there are such batch normalisations.
        joins: Name of an operation that joins examples on purpose, such as a product with an adjacency matrix.
        sequence: Whether examples may lie along the second dimension of the inputs instead of the first.
        file: File of the program that calls the first layer.
        line: Line of it.
    """

    inputs: Tensor
    output: Callable[[Tensor], Tensor]
    norms: bool = False
    joins: str | None = None
    sequence: bool = False
    file: str | None = None
    line: int | None = None


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
    def heads(self) -> list[Head]:
        """Where outputs meet targets, whichever way the loss is written."""
        ...

    @property
    def modes(self) -> Modes:
        """Whether the step's layers were set to training or to evaluation."""
        ...

    @property
    def inputs(self) -> Tensor | None:
        """What the first layer read, None where that is not a tensor of the program's data."""
        ...

    def output_tail(self) -> tuple[Tensor, Callable[[Tensor], Tensor]] | None:
        """Return the last layer's output ``[N, ..., K]`` and the loss as a function of it, None where not one thing."""
        ...

    def response(self) -> Response | None:
        """Return the network's output as a function of what it reads, None where it is not a tensor of numbers."""
        ...

    def trace(self, params: Sequence[Tensor]) -> Trace:
        """Return the loss and the layers' tensors at ``params``, still connected for ``torch.autograd.grad``."""
        ...

    def exact(self) -> ExactStep:
        """Return this step in float64.

        Raises:
            NotMeasurable: An operation of the program means nothing in float64.
        """
        ...
