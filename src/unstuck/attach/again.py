"""Running a part of the program a second time without a trace of it.

Compiled code and re-entrant checkpointing hide what they compute from the tape, so their original Python function is
run once more under it. That run must change nothing: not the buffers (running statistics), not plain attributes such
as counters, not the random generators, not what is printed. Where it is about to change anything else, it is given up.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.attach.calls import generator_states, set_generator_states
from unstuck.attach.modules import Modules
from unstuck.attach.quiet import no_warnings
from unstuck.attach.tape import SideEffect, Tape
from unstuck.attach.untraced import untraced

_PLAIN = (bool, int, float, str, type(None))


@untraced
def run_again(
    tape: Tape, modules: Modules, function: Callable[..., Any], states: Generators, *args: Any, **kwargs: Any
) -> Any:
    """Call ``function`` under the tape, from the random states that its first run began with.

    Args:
        tape: Records the operations.
        modules: The program's modules.
        function: What to call.
        states: The generators before the first run.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What it returned; None where it would have changed something, which the tape then knows as a trouble.
    """
    after = Generators(states.like)
    states.restore()
    try:
        with _modules_kept(modules.alive()) as copies, _silent(), _uncompiled(), tape.second_run(copies):
            return function(*args, **kwargs)
    except SideEffect as effect:
        tape.troubles.append(str(effect))
    except Exception as error:
        tape.troubles.append(f"running it once more failed with {type(error).__name__}: {error}")
    finally:
        after.restore()
    return None


class Generators:
    """The states of all random generators that a forward pass may draw from.

    Args:
        like: A tensor of the device that it runs on.
    """

    def __init__(self, like: Tensor) -> None:
        self.like = like
        self._torch = generator_states(like)
        self._python = random.getstate()
        numpy = sys.modules.get("numpy")
        self._numpy = numpy.random.get_state() if numpy is not None else None

    def restore(self) -> None:
        """Set the generators back."""
        set_generator_states(self._torch, self.like)
        random.setstate(self._python)
        if self._numpy is not None:
            sys.modules["numpy"].random.set_state(self._numpy)


@contextlib.contextmanager
def _modules_kept(modules: list[nn.Module]) -> Iterator[list[Tensor]]:
    """Let modules work on copies of their buffers, which are given, and put their plain attributes back afterwards."""
    buffers = [(m, dict(m._buffers)) for m in modules if m._buffers]
    plain = [(m, {k: v for k, v in vars(m).items() if isinstance(v, _PLAIN)}) for m in modules]
    try:
        for module, kept in buffers:
            module._buffers.update({name: b if b is None else b.detach().clone() for name, b in kept.items()})
        yield [b for module, _ in buffers for b in module._buffers.values() if b is not None]
    finally:
        for module, kept in buffers:
            module._buffers.clear()
            module._buffers.update(kept)
        for module, values in plain:
            for name in [k for k, v in vars(module).items() if isinstance(v, _PLAIN) and k not in values]:
                del vars(module)[name]
            vars(module).update(values)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with no_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def original_of(module: nn.Module) -> nn.Module | None:
    """Return the module behind ``torch.compile(m)`` or ``m.compile()``, None where ``module`` is not compiled."""
    if type(module).__name__ == "OptimizedModule":
        return module._modules.get("_orig_mod")
    return module if module._compiled_call_impl is not None else None


def _uncompiled() -> contextlib.AbstractContextManager[None]:
    """Let compiled functions run as they were written, where a compiler is there."""
    if "torch._dynamo" not in sys.modules:
        return contextlib.nullcontext()
    return torch.compiler.set_stance("force_eager")  # type: ignore[no-any-return]
