"""Weights that a program has made itself: tensors of an optimizer that no module holds, or one of the program's own."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.optim import Optimizer

#: Begins the seeds of tensors, so that they meet none of the program's.
_SEED = 0x5EED_8000


@torch.no_grad()
def draw_bare(optimizer: Optimizer, modules: Iterable[nn.Module], scheme: str) -> bool:
    """Draw the matrices that no layer of torch holds anew.

    Vectors that no module holds and that are as long as a side of a matrix become 0; one of ones is a scale, and stays.
    So do the vectors of modules, which may be anything. The first side of a matrix counts as its inputs, as in
    ``x @ W``.

    Args:
        optimizer: The optimizer, right when it is made.
        modules: All modules of the program whose weights may be drawn, and those of torch.
        scheme: ``glorot``, ``he`` or ``orthogonal``.

    Returns:
        Whether there were any matrices.
    """
    made: list[nn.Module] = []
    layers: list[nn.Module] = []
    for module in modules:
        (layers if _is_layer(module) else made).append(module)
    of_layers, of_made = ({id(p) for m in some for p in m._parameters.values()} for some in (layers, made))
    given = [p for group in optimizer.param_groups for p in group["params"]]
    bare = [p for p in given if id(p) not in of_layers and p.is_floating_point() and p.requires_grad]
    matrices = [p for p in bare if p.dim() == 2 and min(p.shape) > 0]
    sides = {side for matrix in matrices for side in matrix.shape}
    for index, matrix in enumerate(matrices):
        generator = torch.Generator().manual_seed((_SEED + 7919 * index + torch.initial_seed()) % 2**63)
        matrix.copy_(_fresh(matrix, scheme, generator))
    for vector in bare:
        if id(vector) not in of_made and vector.dim() == 1 and len(vector) in sides and not bool((vector == 1).all()):
            vector.zero_()
    return bool(matrices)


def _is_layer(module: nn.Module) -> bool:
    """Whether a module is torch's, or of a class of the program's that is one of torch's layers as well."""
    return type(module).__module__.startswith("torch.") or isinstance(module, (nn.Linear, _ConvNd, nn.Embedding))


def _fresh(matrix: Tensor, scheme: str, generator: torch.Generator) -> Tensor:
    """Return new values of a matrix, on the CPU."""
    values = torch.zeros(matrix.shape)
    if scheme == "glorot":
        return nn.init.xavier_uniform_(values, generator=generator)
    if scheme == "he":
        nn.init.kaiming_normal_(values.T, nonlinearity="relu", generator=generator)
        return values
    return nn.init.orthogonal_(values, generator=generator)
