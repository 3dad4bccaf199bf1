"""The lines of a program that ask for numbers of 16 bits, and what to write there instead."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from unstuck.remedies.editing import Replacement, Source, read_source
from unstuck.remedies.editing.source import called
from unstuck.remedies.remedy import Edit

if TYPE_CHECKING:
    from unstuck.record import Run

_NARROW = ("float16", "bfloat16", "half")
#: What people call narrow types in arguments of their programs.
_WORDS = ("float16", "bfloat16", "fp16", "bf16", "half")
#: Lines that a sentence names at most.
_NAMED = 3


class _Site(NamedTuple):
    node: ast.Attribute
    autocast: ast.Call | None  # the call of autocast that it is an argument of


def precision_edit(run: Run, to: str) -> Edit:
    """Return what a person would write to compute in another type.

    Args:
        run: The watched run.
        to: ``float32``, ``bfloat16`` or ``float64``.
    """
    file = run.main_optimizer.file
    source = read_source(run, file)
    if to == "float64":
        return Edit(
            "keep inputs, targets and weights in float64 (double() in the place of float()), or subtract from large "
            "numbers, such as times since 1970, where they begin",
            file,
            run.main_optimizer.line,
        )
    sites = _sites(source, to) if source is not None else []
    if source is None or file is None or not sites:
        return Edit(_unseen(run, to))
    line = sites[0].node.lineno
    pieces = (_piece(source, sites[0], to),) if len(sites) == 1 else ()  # several may be one choice, or as many
    return Edit(_sentence(file, sites, to), file, line, pieces)


def _sites(source: Source, to: str) -> list[_Site]:
    """Return the places that ask for a narrow type, from top to bottom; for bfloat16, those of autocast to float16."""
    calls = [node for node in source.all(ast.Call) if called(node) == "autocast"]
    inside = {id(node): call for call in calls for node in ast.walk(call)}
    found = [_Site(node, inside.get(id(node))) for node in source.all(ast.Attribute) if node.attr in _NARROW]
    if to == "bfloat16":
        found = [site for site in found if site.autocast is not None and site.node.attr != "bfloat16"]
    return sorted(found, key=lambda site: site.node.lineno)


def _sentence(file: str, sites: list[_Site], to: str) -> str:
    places = [f"{file}:{line}" for line in dict.fromkeys(site.node.lineno for site in sites)]
    shown = ", ".join(places[:_NAMED]) + (f" and {len(places) - _NAMED} more" if len(places) > _NAMED else "")
    if to == "bfloat16":
        return f"write torch.bfloat16 in torch.autocast at {shown}"
    if all(site.autocast is not None for site in sites):
        return f"write enabled=False in torch.autocast at {shown}, or dtype=torch.bfloat16 if speed needs 16 bits"
    return (
        f"write float32 in the place of 16 bits at {shown}; if speed or memory need 16 bits, keep the weights in "
        f"float32 and put the forward pass under torch.autocast with dtype=torch.bfloat16"
    )


def _piece(source: Source, site: _Site, to: str) -> Replacement:
    """Return the one site written anew."""
    call = site.autocast
    if call is not None and to == "float32":
        last = max((*call.args, *(k.value for k in call.keywords)), key=lambda node: (node.lineno, node.col_offset))
        own = [k.value for k in call.keywords if k.arg == "enabled"]
        if own:
            return source.replace(own[0], "False")
        return source.put(source.span(last)[1], ", enabled=False")
    owner = source.text(site.node.value)
    cast = owner not in ("torch", "th")  # model.half()
    return source.replace(site.node, f"{owner}.{'float' if cast else to}")


def _unseen(run: Run, to: str) -> str:
    """Return the edit in words where no line of it is seen, with the word of the command line that may be one."""
    words = [str(word) for word in run.manifest.get("command") or ()]
    last = next((i for i, word in enumerate(words) if i and any(part in word.lower() for part in _WORDS)), 0)
    option = last > 0 and words[last - 1].startswith("-")
    asked = f" (the program is started with {' '.join(words[last - option : last + 1])})" if last else ""
    if to == "bfloat16":
        return f"write dtype=torch.bfloat16 in torch.autocast{asked}"
    return f"keep weights and inputs in float32, without half(), bfloat16() and torch.autocast to 16 bits{asked}"
