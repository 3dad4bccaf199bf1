"""The output phase of linear outputs: their weights solve a linear least-squares problem, so no descent is needed."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.constructive.outputs import Cases, Trained
from unstuck.constructive.quickprop import Quickprop
from unstuck.constructive.settings import Settings


def solve_outputs(values: Tensor, cases: Cases, settings: Settings) -> Trained:
    """Return the outputs with the least squared error plus decay, at the price of one epoch.

    The paper trains linear outputs with quickprop too. Inputs of real tables are correlated, and there quickprop, which
    takes each weight for itself, grows beyond all bounds; the minimum it looks for is
    ``(V P V' + decay I)^-1 V P t``, with values ``V`` and the weights of the cases on the diagonal of ``P``.

    Args:
        values: Values of bias, inputs and hidden units, ``[t, units, n]``.
        cases: Targets.
        settings: How.
    """
    weighted = values if cases.weights is None else values * cases.weights
    turned = values.transpose(1, 2)
    gram, right = torch.bmm(weighted, turned).cpu().double(), (weighted @ cases.targets.T).cpu().double()
    gram.diagonal(dim1=1, dim2=2).add_(settings.output_decay)
    precision = gram.shape[1] * torch.finfo(values.dtype).eps
    solved = torch.linalg.pinv(gram, rtol=precision, hermitian=True) @ right
    weights = solved.transpose(1, 2).to(values).contiguous()
    residuals = torch.bmm(weights, values) - cases.targets
    squares = residuals**2
    worst = squares.amax((1, 2)).tolist()
    errors = (squares if cases.weights is None else squares * cases.weights).sum((1, 2)).tolist()
    is_right = [one < settings.threshold**2 for one in worst]
    return Trained(Quickprop(weights, settings.mu), residuals, errors, is_right, [1] * len(values))
