"""Taking hold of the DataLoaders that feed the training: those that are gone through while gradients are enabled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, SequentialSampler

from unstuck.attach.untraced import stands_for
from unstuck.trials.inside.stage import Stage

#: Gets a loader and the sampler of its indices, returns the one to use in its place, or why there is none.
TreatIndices = Callable[[Any, Any], Any]
_Loaders = WeakKeyDictionary[Any, Any]


def treat_indices(stage: Stage, kind: str, treat: TreatIndices) -> None:
    """Let the loaders that feed the training take their indices from another sampler.

    Evaluations, which go through theirs without gradients, find them as they were made. So does ``len``, but for a
    loader that has not been gone through yet: schedules ask for the length of the one that will feed the training.

    Args:
        stage: The hook points.
        kind: The remedy's name.
        treat: Says which sampler; what it says first about a loader need not hold later.
    """
    feeds: _Loaders = WeakKeyDictionary()
    before = vars(DataLoader)["_index_sampler"]

    def indices(original: Any) -> Any:
        def get(loader: Any) -> Any:
            sampler = original.fget(loader)
            if not torch.is_grad_enabled() or not feeds.get(loader, True):
                return sampler
            treated = treat(loader, sampler)
            return sampler if isinstance(treated, str) else treated

        return property(get, doc=original.__doc__)

    def started(loader: Any) -> None:
        feeds[loader] = True
        treated = treat(loader, before.fget(loader))
        if isinstance(treated, str):
            stage.cannot(kind, treated)
        else:
            stage.did(kind)

    stage.wrap(DataLoader, "_index_sampler", indices)
    when_training(stage, kind, started, lambda loader: feeds.setdefault(loader, False))


def when_training(
    stage: Stage, kind: str, started: Callable[[Any], None], other: Callable[[Any], object] = lambda loader: None
) -> None:
    """Call a function whenever the program begins to go through a loader with gradients enabled.

    Args:
        stage: The hook points.
        kind: The remedy's name.
        started: Gets the loader.
        other: Gets one that the program begins to go through without gradients.
    """

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @stands_for(original)
        def __iter__(loader: Any) -> Any:
            (started if torch.is_grad_enabled() else other)(loader)
            return original(loader)

        return __iter__

    def stepped(optimizer: Any, step: int) -> None:
        if kind not in stage.applied:
            stage.cannot(kind, "no DataLoader feeds the training")

    stage.wrap(DataLoader, "__iter__", make)
    stage.after_step(stepped)


def shuffled(loaders: _Loaders, loader: Any, sampler: Any) -> Any:
    """Return a sampler of the same indices in a new random order each time, or why there is none.

    Args:
        loaders: The orders of the loaders so far.
        loader: The loader.
        sampler: The sampler of its indices.
    """
    batches = type(sampler) is BatchSampler
    single = sampler.sampler if batches else sampler
    if isinstance(single, RandomSampler) or getattr(single, "shuffle", False):
        return "the DataLoader shuffles already"
    if type(single) is not SequentialSampler:
        return "the DataLoader has a sampler of its own, or its dataset is a stream"
    order = loaders.setdefault(loader, _Shuffled(single.data_source))
    return BatchSampler(order, sampler.batch_size, sampler.drop_last) if batches else order


def batched(sampler: Any, factor: float) -> Any:
    """Return a sampler of batches that are larger by a factor, but hold all examples at most, or why there is none."""
    if type(sampler) is not BatchSampler:
        return "the DataLoader does not make its batches itself"
    size = max(1, round(sampler.batch_size * factor))
    examples: Any = sampler.sampler
    if hasattr(examples, "__len__"):
        size = min(size, max(len(examples), 1))
    if size == sampler.batch_size:
        return "the batches hold all examples already" if factor > 1 else "the batches hold a single example already"
    return BatchSampler(examples, size, sampler.drop_last)


class _Shuffled(Sampler[int]):
    """All indices in a new random order each time, by a generator of its own: the arms of a trial share the global one.

    Args:
        source: The dataset.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._generator: torch.Generator | None = None

    def __iter__(self) -> Iterator[int]:
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(torch.initial_seed())
        return iter(torch.randperm(len(self._source), generator=self._generator, device="cpu").tolist())

    def __len__(self) -> int:
        return len(self._source)
