"""Running a network once without a trace of it: nothing is written, counted, drawn or printed."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from unstuck.attach.again import Generators, original_of
from unstuck.attach.quiet import no_warnings


def run_through(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Run a network once, without gradients and without a trace.

    Args:
        network: The network, in the mode that it is in.
        args: What it is called with; it gets copies.
        kwargs: The same, by name.

    Returns:
        Whether it ran to its end.
    """
    network = original_of(network) or network
    if any(is_lazy(p) for p in network.parameters()):
        return False  # they would be made, and drawn, by this pass
    try:
        with _unchanged(network), torch.no_grad():
            copies, named = tree_map_only(Tensor, lambda tensor: tensor.detach().clone(), (args, dict(kwargs)))
            network._call_impl(*copies, **named)  # not what was compiled
    except Exception:
        return False
    return True


@contextlib.contextmanager
def _unchanged(network: nn.Module) -> Iterator[None]:
    """Put buffers, attributes and random generators back afterwards, and let nothing be printed."""
    generators = Generators(next(network.parameters(), torch.empty(0)))
    kept = [(module, dict(vars(module)), dict(module._buffers)) for module in network.modules()]
    for module, _, buffers in kept:
        copies = {name: b if b is None else b.detach().clone() for name, b in buffers.items()}
        module._buffers.update(copies)
    eager = torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else contextlib.nullcontext()
    try:
        with no_warnings(), contextlib.redirect_stdout(io.StringIO()), eager:
            yield
    finally:
        for module, values, buffers in kept:
            module._buffers.clear()
            module._buffers.update(buffers)
            vars(module).clear()
            vars(module).update(values)
        generators.restore()
