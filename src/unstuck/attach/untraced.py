"""Keeping our own code out of ``torch.compile``: not compiled, not traced into, and no graph broken because of it.

``torch.compiler.disable`` does a part of this, but imports the whole compiler into a program that does not use it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, TypeVar

from torch._C._dynamo import eval_frame

# Taken once: every step of the program calls it several times.
_set_eval_frame: Callable[[Any], Any] = eval_frame.set_eval_frame

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")


class _Place(threading.local):
    """Where this thread's innermost call of ours came from."""

    in_compiled_code = False


_place = _Place()


def untraced(function: Callable[..., R], fault: Callable[[Exception], R] | None = None) -> Callable[..., R]:
    """Return ``function`` such that neither it nor anything it calls is ever compiled.

    Args:
        function: A function or method of ours that the program calls without knowing.
        fault: Gets what it raises, where that must not reach the program.

    Returns:
        A function with the same arguments and result.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        before = _set_eval_frame(None)
        if before is None:  # no compiler is at work: nothing to note, nothing to put back
            if fault is None:
                return function(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                return fault(error)
        outer = _place.in_compiled_code
        _place.in_compiled_code = outer or callable(before)
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if fault is None:
                raise
            return fault(error)
        finally:
            _place.in_compiled_code = outer
            _set_eval_frame(before)

    return uncompiled(call)


def uncompiled(function: F) -> F:
    """Keep the compiler off the code of ``function``; enough where it calls nothing but :func:`untraced` ones."""
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    return _skipped(function)


def in_compiled_code() -> bool:
    """Whether an :func:`untraced` function is running that was called from code under ``torch.compile``."""
    return _place.in_compiled_code


def stands_for(original: Any) -> Callable[[F], F]:
    """Decorate a function that we put in the place of one of torch's or of the program.

    Called from Python, it is not compiled, but what it calls may be: the original runs as if called directly. Called
    inside compiled code, the compiler sees the original.

    Args:
        original: The function that was there before.

    Returns:
        The decorator.
    """

    def decorate(function: F) -> F:
        functools.update_wrapper(function, original)
        target: Any = function
        target._torchdynamo_inline = getattr(original, "_torchdynamo_inline", original)
        return _skipped(function)

    return decorate


def _skipped(function: F) -> F:
    """Tell the compiler's frame evaluation to run this function's own frame as it is."""
    code = _code_of(function)
    if hasattr(eval_frame, "set_code_exec_strategy"):  # from torch 2.7
        action = eval_frame._FrameAction
        eval_frame.set_code_exec_strategy(code, eval_frame._FrameExecStrategy(action.SKIP, action.DEFAULT))
    elif hasattr(eval_frame, "skip_code"):
        eval_frame.skip_code(code)
    return function


def _code_of(function: Any) -> Any:
    if isinstance(function, MethodType):
        function = function.__func__
    assert isinstance(function, FunctionType)
    return function.__code__
