"""Products of the Hessian of a step's loss with vectors, made on one kept gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from unstuck.measure.errors import NotMeasurable
from unstuck.measure.flat import Layout
from unstuck.measure.gradient import leaves, value_and_gradient
from unstuck.measure.step import Step

ProductsBy = Literal["autograd", "autograd on plain kernels", "differences"]
_LOSS_TOLERANCE = 1e-3  # plain kernels round otherwise; a loss further off is another loss (other dropout masks)
_AGREEMENT = 0.03  # differences in float32 are off by about 1e-3; a missing derivative by much more


class Hessian:
    """The Hessian ``H`` of a step's loss as a linear operator on flat vectors.

    The gradient is taken once with ``create_graph`` and kept; each product ``H v = grad(g . v)`` then costs about 1.5
    gradients, against 2.6 from scratch. Fused kernels (flash attention, oneDNN and cuDNN recurrent layers) have no
    second derivative: there the gradient is taken again on the plain kernels, and where that fails too, products are
    central differences ``(g(w + h v) - g(w - h v)) / 2h``, 2 gradients each, with
    ``h = eps^(1/3) |w| / |v|``.

    Attributes:
        layout: How parameters lie in the flat vectors.
        loss: The loss at the step's parameters.
        gradient: Its gradient, flat.
        products: Number of products made so far.
        products_by: How products are made; settled by the first product.
    """

    def __init__(self, step: Step) -> None:
        self.layout = Layout.of(step.params)
        self.products = 0
        self.products_by: ProductsBy = "autograd"
        self._step = step
        self._curved: list[tuple[int, Tensor]] = []
        self._differentiate()

    def product(self, vector: Tensor) -> Tensor:
        """Return ``H vector``.

        Args:
            vector: Flat vector in the layout's type.

        Returns:
            A new flat vector.
        """
        self.products += 1
        if self.products_by == "differences":
            return self._by_differences(vector)
        try:
            product = self._by_autograd(vector)
            if self._doubtful and not self._confirmed(product, vector):
                self._curved = []
                self.products_by = "differences"
                return self._by_differences(vector)
            return product
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError):  # no second derivative
            self._fall_back()
            self.products -= 1
            return self.product(vector)

    def _differentiate(self) -> None:
        self._leaves = leaves(self._step.params)
        loss, gradients = value_and_gradient(self._step, self._leaves, create_graph=True)
        self.loss = float(loss.detach())
        self.gradient = self.layout.join(gradients)
        self._doubtful = _has_function_of_the_user(loss)
        # Where the loss is linear in a parameter, its gradient is a constant, which autograd refuses to differentiate.
        self._curved = [(i, gradient) for i, gradient in enumerate(gradients) if gradient.requires_grad]

    def _by_autograd(self, vector: Tensor) -> Tensor:
        if not self._curved:
            return torch.zeros_like(vector)
        parts = self.layout.split(vector)
        with torch.inference_mode(False):
            product = torch.autograd.grad(
                [gradient for _, gradient in self._curved],
                self._leaves,
                grad_outputs=[parts[i] for i, _ in self._curved],
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
        return self.layout.join(product)

    def _confirmed(self, product: Tensor, vector: Tensor) -> bool:
        """Whether differences agree, asked once: autograd leaves out what a function of the user's own does not derive.

        A ``once_differentiable`` function ought to raise; ``autograd.grad`` never comes to the node that does.
        """
        self._doubtful = False
        difference = self._by_differences(vector)
        return bool((product - difference).norm() <= _AGREEMENT * difference.norm())

    def _fall_back(self) -> None:
        """Go on to the next way of making products, releasing the graph of the one that failed."""
        self._curved = []
        if self.products_by == "autograd":
            self.products_by = "autograd on plain kernels"
            before = self.loss, self.gradient
            try:
                with _plain_kernels():
                    self._differentiate()
                if abs(self.loss - before[0]) <= _LOSS_TOLERANCE * abs(before[0]):
                    return
            except torch.OutOfMemoryError:
                raise
            except (RuntimeError, NotImplementedError, NotMeasurable):
                pass
            finally:
                self.loss, self.gradient = before
        self._curved = []
        self.products_by = "differences"

    def _by_differences(self, vector: Tensor) -> Tensor:
        norm = float(vector.norm())
        if norm == 0:
            return torch.zeros_like(vector)
        place = self.layout.join(self._step.params)
        eps = max(torch.finfo(dtype).eps for dtype in self.layout.dtypes)
        length = eps ** (1 / 3) * (float(place.norm()) or 1.0) / norm
        ahead = self._gradient_at(place.add(vector, alpha=length))
        return ahead.sub_(self._gradient_at(place.sub_(vector, alpha=length))).div_(2 * length)

    def _gradient_at(self, place: Tensor) -> Tensor:
        return self.layout.join(value_and_gradient(self._step, self.layout.split(place))[1])


def _has_function_of_the_user(loss: Tensor) -> bool:
    """Whether the graph of ``loss`` holds a ``torch.autograd.Function`` written in Python."""
    todo: list[Any] = [loss.grad_fn]
    seen: set[Any] = {None}
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            return True
        seen.add(node)
        todo += [following for following, _ in node.next_functions]
    return False


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Run attention and recurrent layers on kernels that can be differentiated twice."""
    # Not torch.backends.mkldnn.flags: it warns about settings of other devices, into the program's output.
    fused = torch._C._get_mkldnn_enabled()
    with sdpa_kernel([SDPBackend.MATH]), torch.backends.cudnn.flags(enabled=False):
        torch._C._set_mkldnn_enabled(False)
        try:
            yield
        finally:
            torch._C._set_mkldnn_enabled(fused)
