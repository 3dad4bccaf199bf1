"""A fitted cascade as a plain module, and as an ONNX model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unstuck.constructive.network import Cascade
from unstuck.constructive.scaling import Scaling
from unstuck.errors import UsageError

if TYPE_CHECKING:
    from unstuck.constructive.estimator import CascadeCorrelation


class CascadeModule(nn.Module):
    """A cascade with its scalings. Its weights are parameters, so that it can be trained further as a whole.

    Args:
        network: The network.
        inputs: Scaling of the inputs.
        targets: Scaling of the targets; None where it is a classifier.
        dtype: Of all weights.
    """

    mean: Tensor
    scale: Tensor
    target_mean: Tensor
    target_scale: Tensor

    def __init__(self, network: Cascade, inputs: Scaling, targets: Scaling | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.linear = network.linear
        weights = [torch.tensor(unit, dtype=dtype) for unit in network.hidden]
        self.hidden = nn.ParameterList([nn.Parameter(unit) for unit in weights])
        self.outputs = nn.Parameter(torch.tensor(network.outputs[-1], dtype=dtype))
        self.register_buffer("mean", torch.tensor(inputs.mean, dtype=dtype))
        self.register_buffer("scale", torch.tensor(inputs.scale, dtype=dtype))
        back = targets or Scaling.none(len(network.outputs[-1]))
        self.register_buffer("target_mean", torch.tensor(back.mean, dtype=dtype))
        self.register_buffer("target_scale", torch.tensor(back.scale, dtype=dtype))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return targets ``[n, outputs]``, or probabilities ``[n, classes]``.

        Args:
            inputs: ``[n, features]``.
        """
        values = (inputs - self.mean) / self.scale
        values = torch.cat((torch.ones_like(values[:, :1]), values), 1)
        for weights in self.hidden:
            values = torch.cat((values, torch.sigmoid(values @ weights[:, None]) - 0.5), 1)
        out = values @ self.outputs.T
        if self.linear:
            return out * self.target_scale + self.target_mean
        out = torch.sigmoid(out)
        if out.shape[1] == 1:
            return torch.cat((1 - out, out), 1)
        return out / out.sum(1, keepdim=True)


def to_module(estimator: CascadeCorrelation) -> CascadeModule:
    """Return a fitted estimator as a module.

    Args:
        estimator: The estimator.
    """
    targets: Scaling | None = getattr(estimator, "target_scaling_", None)
    return CascadeModule(estimator.network_, estimator.input_scaling_, targets, getattr(torch, estimator.dtype)).eval()


def export_onnx(estimator: CascadeCorrelation, path: str | Path) -> None:
    """Write a fitted estimator as an ONNX model.

    Args:
        estimator: The estimator.
        path: The file.

    Raises:
        UsageError: ONNX is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(f"to write ONNX, {error.name} is needed; pip install 'unstuck[onnx]'") from error
    module = to_module(estimator)
    example = torch.zeros(2, estimator.n_features_in_, dtype=module.mean.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the exporter's own, about parts of torch that it uses
        program = torch.onnx.export(
            module,
            (example,),
            input_names=["inputs"],
            output_names=["outputs"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(str(path))
