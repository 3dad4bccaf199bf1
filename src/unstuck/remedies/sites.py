"""Where edits of the network and of the loss belong: lines of layers and of losses, as the record has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unstuck.errors import UsageError
from unstuck.remedies.editing import Source, read_source
from unstuck.remedies.editing.network import Site, sites

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.record.reader import LayerInfo

#: Layers that a sentence names at most.
_NAMED = 3


def among(value: str, allowed: Sequence[str], what: str) -> None:
    """Check the choice that a remedy was given.

    Args:
        value: The choice.
        allowed: What there is.
        what: What it is a choice of.

    Raises:
        UsageError: There is no such choice.
    """
    if value not in allowed:
        raise UsageError(f"there is no {what} {value!r}; there are {', '.join(allowed)}")


def weighed(run: Run) -> list[LayerInfo]:
    """Return the layers that multiply with a weight, in the order in which they run."""
    return [layer for layer in run.layers if layer.kind in ("linear", "conv", "recurrent")]


def hidden(run: Run) -> list[LayerInfo]:
    """Return the layers with a nonlinearity after them and another layer behind it."""
    return [layer for layer in weighed(run)[:-1] if layer.activation and layer.kind != "recurrent"]


def listed(layers: Sequence[LayerInfo]) -> str:
    """Return layers as they read in a sentence: ``fc1 (train.py:10), fc2 (train.py:11) and 3 more``.

    Layers that one line has made are named by it: ``the 4 layers made at train.py:10``.
    """
    lines = {(x.file, x.line) for x in layers}
    if len(layers) > 1 and len(lines) == 1 and all(next(iter(lines))):
        return f"the {len(layers)} layers made at {layers[0].file}:{layers[0].line}"
    names = [f"{x.name} ({x.file}:{x.line})" if x.file and x.line else x.name for x in layers]
    if not names:
        return "every layer"
    if len(names) > _NAMED + 1:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def first_line(layers: Sequence[LayerInfo]) -> tuple[str | None, int | None]:
    """Return file and line of the first layer whose line is known."""
    return next(((x.file, x.line) for x in layers if x.file and x.line), (None, None))


def hidden_sites(run: Run, wanted: Sequence[LayerInfo], functions: Sequence[str]) -> list[tuple[Source, Site]] | None:
    """Return the activations in the source that follow hidden layers.

    Args:
        run: The watched run.
        wanted: The hidden layers whose activation is meant.
        functions: Names of the activations that are looked for.

    Returns:
        The activations with their files; None unless each of these layers has one and nothing else might be meant.
    """
    sources = [read_source(run, file) for file in dict.fromkeys(layer.file for layer in weighed(run))]
    one_loss = all(probe.m.get("task", {}).get("places", 1) == 1 for probe in run.probes)
    if not wanted or not one_loss or any(source is None for source in sources):
        return None
    inner = {layer.name for layer in hidden(run)}
    found = []
    for source in sources:
        for site in sites(source, weighed(run), functions) if source is not None else ():
            within = {layer.name in inner for layer in site.layers}
            if not site.layers or (len(within) > 1 and not site.inside):
                return None  # it may be between layers, or behind the last
            if site.inside or within == {True}:
                found.append((source, site))
    covered = {layer.name for _, site in found for layer in site.layers}
    return found if covered >= {layer.name for layer in wanted} else None  # type: ignore[return-value]


def loss_line(run: Run, holds: Callable[[dict[str, Any]], bool]) -> tuple[str, str, int] | None:
    """Return kind, file and line of the loss that most probes saw, None where none was seen.

    Args:
        run: The watched run.
        holds: Whether a loss, as the record describes it, is one of those that are looked for.
    """
    heads = [head for probe in run.probes for head in probe.m.get("task", {}).get("heads", ())]
    seen = Counter((h["kind"], h["file"], h["line"]) for h in heads if h["file"] and h["line"] and holds(h))
    if not seen:
        return None
    (kind, file, line), _ = seen.most_common(1)[0]
    return str(kind), str(file), int(line)


def at(place: tuple[str, str, int] | None) -> str:
    """Return the place of a loss as it reads in a sentence: ``the loss at train.py:27``."""
    return "the loss" if place is None else f"the loss at {place[1]}:{place[2]}"
