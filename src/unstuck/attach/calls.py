"""What a call of a torch function looks like from outside: its tensors, what it writes to, its surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_IN_PLACE_DUNDERS = frozenset(
    "__setitem__ __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __ipow__ __imod__ __iand__ __ior__ __ixor__ "
    "__ilshift__ __irshift__".split()
)
#: Functions that can give sparse gradients, and the position of the argument that says so.
_SPARSE = {"embedding": 6, "embedding_bag": 7}


def flat(value: Any) -> Iterator[Any]:
    """Yield the leaves of nested tuples, lists and dictionaries in order."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from flat(item)
    else:
        yield value


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors among the leaves of ``value``."""
    return (item for item in flat(value) if isinstance(item, Tensor))


def first_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the first tensor among arguments: what an in-place function writes to."""
    return next(tensors_in((args, kwargs)), None)


def is_in_place(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call of this name and arguments writes to its first tensor."""
    if name in _IN_PLACE_DUNDERS or (name.endswith("_") and not name.endswith("__")):
        return True
    return bool(kwargs.get("inplace"))


def without_side_effects(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments for replays: running statistics are left out where the batch's own are used.

    Gradients of embeddings are made dense, for those that are sparse cannot be differentiated again.

    ``F.batch_norm(x, running_mean, running_var, weight, bias, training, ...)`` in training mode writes its running
    statistics and does not read them; the same for ``F.instance_norm`` with ``use_input_stats``.
    """
    if name in _SPARSE:
        args = tuple(False if index == _SPARSE[name] else value for index, value in enumerate(args))
        return args, {k: False if k == "sparse" else v for k, v in kwargs.items()}
    place = {"batch_norm": 5, "instance_norm": 5}.get(name)
    if place is None:
        return args, kwargs
    keyword = "training" if name == "batch_norm" else "use_input_stats"
    default = name == "instance_norm"
    own_statistics = kwargs.get(keyword, args[place] if len(args) > place else default)
    if not own_statistics:
        return args, kwargs
    args = tuple(None if index in (1, 2) else value for index, value in enumerate(args))
    return args, {k: None if k in ("running_mean", "running_var") else v for k, v in kwargs.items()}


def generator_states(like: Tensor) -> dict[str, Tensor]:
    """Return the states of the generators that an operation on ``like`` may draw from."""
    states = {"cpu": torch.get_rng_state()}
    if like.is_cuda:
        states["cuda"] = torch.cuda.get_rng_state(like.device)
    return states


def set_generator_states(states: dict[str, Tensor], like: Tensor) -> None:
    """Set the generators back to ``states`` (see :func:`generator_states`)."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], like.device)


def autocast_state(like: Tensor) -> tuple[str, torch.dtype] | None:
    """Return ``(device type, dtype)`` where autocast is on for the device of ``like``."""
    kind = like.device.type
    if not torch.is_autocast_enabled(kind):
        return None
    return kind, torch.get_autocast_dtype(kind)


def storage_of(tensor: Tensor) -> int:
    """Return the address of a tensor's memory, shared by its views."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # sparse tensors, wrappers
        return id(tensor)
