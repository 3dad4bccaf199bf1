"""Functions that cannot be run in a process of their own: why not, in one sentence."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

from unstuck.errors import UsageError


def name_of(function: Any) -> str:
    """Return what a person calls a function: the name that it was defined with, ``lambda`` for one without."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__)).strip("<>")


def check(function: Any) -> None:
    """Refuse what cannot be called as it is, or does nothing when it is called.

    Raises:
        UsageError: It is no function, takes arguments, or is a generator or a coroutine.
    """
    if not callable(function):
        called = "; the function itself is wanted: unstuck.fix(train), not unstuck.fix(train())"
        raise UsageError(
            f"fix takes the function that trains; got {type(function).__name__}: {_brief(function)}{called}"
        )
    name = name_of(function)
    for kind, is_one in (
        ("a generator", inspect.isgeneratorfunction),
        ("a coroutine", inspect.iscoroutinefunction),
        ("an asynchronous generator", inspect.isasyncgenfunction),
    ):
        if is_one(function):
            raise UsageError(f"{name} is {kind}, which does nothing when it is called; fix takes a plain function")
    needed = _needed(function)
    if needed:
        values = ", ".join(f"{word}=..." for word in needed)
        raise UsageError(
            f"fix calls {name} without arguments, and it needs {', '.join(needed)}; "
            f"for example: unstuck.fix(lambda: {name}({values}))"
        )


def why_not(function: Any, error: Exception, can_be_copied: Callable[[Any], bool]) -> str:
    """Return the sentence that names what keeps a function from being copied.

    Args:
        function: The function.
        error: What copying it has raised.
        can_be_copied: Whether some value can be.
    """
    name = name_of(function)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    found = next(_culprits(function, can_be_copied, set()), None)
    uses = (
        f"it uses {found[0]!r}, a {type(found[1]).__name__}, which cannot be copied" if found else "it cannot be copied"
    )
    return f"{name} cannot run in a process of its own: {uses} ({text}); make it inside the function"


def _culprits(function: Any, can_be_copied: Callable[[Any], bool], seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the values that a function uses and that cannot be copied, by name: the innermost of them."""
    seen.add(id(function))
    for name, value in _used(function):
        if id(value) in seen or can_be_copied(value):
            continue
        inner = next(_culprits(value, can_be_copied, seen), None)
        yield inner or (name, value)


def _used(function: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a function uses from outside, or what an object holds, by name."""
    if isinstance(function, functools.partial):
        yield name_of(function.func), function.func
        yield from ((f"argument {i}", value) for i, value in enumerate(function.args, 1))
        yield from function.keywords.items()
    elif isinstance(function, MethodType):
        yield type(function.__self__).__name__, function.__self__
    elif inspect.isfunction(function):
        variables = inspect.getclosurevars(function)
        yield from variables.nonlocals.items()
        yield from variables.globals.items()
    elif not inspect.isclass(function):
        yield from getattr(function, "__dict__", {}).items()


def _needed(function: Any) -> list[str]:
    """Return the names of the arguments that a function cannot be called without."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
