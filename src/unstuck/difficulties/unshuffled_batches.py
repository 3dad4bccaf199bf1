"""``unshuffled-batches``: batches are not random draws from the data: they miss classes, or lie close together.

Decision. Classes: Pearson's chi-squared of each probed batch against the classes of all probes, per degree of freedom;
it is about 1 for random batches, with a standard deviation of ``sqrt(2 / degrees)``. Numbers: the variance of the
batches' mean targets against what random batches of that size would have; about 1 as well. Named from 6 on in most
probes, at least 5 of them (or in all of 3 or 4, of classes), but not where batches hold three classes or more with as
many examples each, and not always the same ones together: those are composed on purpose. Nor where the numbers are no
draws from a data set at all, as the values of states in reinforcement learning: batches of ever other sizes, put
together of several forward passes, or made with the network itself between every two steps; nor where their mean drifts
one way over the run. The loss of single batches does not tell: each is easy while it lasts.

Source: Bengio 2012 (arXiv:1206.5533), section 3.1; Bottou 2012, "Stochastic Gradient Descent Tricks", section 4.2.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Cost, Finding
from unstuck.difficulties.heads import BINARY, DISTANCES, LIKELIHOODS, Place, places

_FAR = 6.0
_PROBES = 5
#: Fewer will do where each of them is that far off.
_LEAST = 3
#: Standard deviations of Spearman's correlation of step and mean target from which on targets drift one way.
_DRIFT = 2.5
#: Classes of equal counts in a batch from which on that is no accident.
_COMPOSED = 3


def find(case: Case) -> Finding | None:
    """Return the finding, None where batches look like random draws."""
    if case.adversarial:
        return None
    for place in places(case):
        if len(place.heads) < _LEAST:
            continue
        if place.kind in LIKELIHOODS and place.classes is not None:
            finding = _by_class(case, place)
        elif place.kind in (*DISTANCES, *BINARY):
            finding = _by_number(case, place)
        else:
            finding = None
        if finding is not None:
            return finding
    return None


def _by_class(case: Case, place: Place) -> Finding | None:
    counts = place.classes
    assert counts is not None
    counts = counts[counts.sum(1) >= 4]
    batch = place.median("batch")
    if len(counts) < _LEAST or (np.isfinite(batch) and float(np.median(counts.sum(1))) > 1.5 * batch):
        return None  # the elements of one sequence are no independent draws
    # Probes come often at first, so the classes of all of them are a mean over batches, not over examples.
    shares = (counts / counts.sum(1, keepdims=True)).mean(0)
    counts, shares = counts[:, shares > 0], shares[shares > 0]
    if len(shares) < 2:
        return None
    expected = counts.sum(1, keepdims=True) * shares
    ratio = ((counts - expected) ** 2 / expected).sum(1) / (len(shares) - 1)
    present = float(np.median((counts > 0).sum(1)))
    chance = float(np.median((1 - (1 - shares) ** counts.sum(1, keepdims=True)).sum(1)))
    if len(counts) < _PROBES and float(ratio.min()) < _FAR:
        return None
    if float(np.median(ratio)) < _FAR or present > 0.75 * chance or _are_composed(counts):
        return None
    return _finding(
        case,
        place,
        f"Batches are not shuffled: a batch of {int(np.median(counts.sum(1)))} holds {figure(present, 2)} of the "
        f"{len(shares)} classes, where random ones would hold {figure(chance, 2)}. The network learns each class in "
        f"turn and forgets it. Write shuffle=True in the DataLoader, or take X[torch.randperm(n)] at every epoch.",
        {"classes in a batch": present, "in a random batch": chance, "chi-squared / degrees": float(np.median(ratio))},
    )


def _are_composed(counts: np.ndarray) -> bool:
    """Return whether batches are put together of some classes with as many examples each, as in metric learning.

    So may sorted data be, by chance of its sizes; but then a class always comes with the same others.
    """
    held = [(frozenset(np.flatnonzero(row)), row[row > 0]) for row in counts]
    composed = [classes for classes, row in held if len(row) >= _COMPOSED and row.min() == row.max() > 1]
    mixed = any(one & other and one != other for one, other in combinations(composed, 2))
    return mixed and len(composed) > 0.5 * len(held)


def _by_number(case: Case, place: Place) -> Finding | None:
    if not _are_examples(case, place):
        return None
    rows = [
        (head["target"]["mean"], head["target"]["std"], int(np.prod(head["target"]["shape"])), step)
        for head, step in zip(place.heads, place.steps, strict=True)
        if head["target"].get("std") is not None
    ]
    if len(rows) < _PROBES:
        return None
    means, stds, sizes, steps = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    examples = float(np.median([head["target"]["shape"][0] for head in place.heads if head["target"]["shape"]]))
    if examples < 4 or not np.isfinite(means).all() or np.ptp(means) == 0 or _drift(means[steps > steps.max() / 10]):
        return None
    between = float(means.var(ddof=1))
    whole = float((stds**2).mean()) + between
    ratio = between * examples / whole if whole > 0 else 0.0
    close = float((stds**2).mean()) / whole if whole > 0 else 1.0
    if ratio < _FAR or close > 0.5 or sizes.min() < 4:
        return None
    return _finding(
        case,
        place,
        f"Batches are not shuffled: the targets of one batch lie close together (their variance is {percent(close)} of "
        f"that of all), and their mean moves from batch to batch {figure(math.sqrt(ratio))} times more than that of "
        f"random ones. Write shuffle=True in the DataLoader, or take X[torch.randperm(n)] at every epoch.",
        {"variance within / of all": close, "variance of the means / of random batches": ratio},
    )


def _are_examples(case: Case, place: Place) -> bool:
    """Return whether the batches can be examples of a data set: equal sizes, one forward pass, not made on the way."""
    sizes = {head["target"]["shape"][0] for head in place.heads if head["target"]["shape"]}
    batch = place.median("batch")
    at_once = not np.isfinite(batch) or max(sizes, default=0) <= batch
    return len(sizes) <= 2 and at_once and not case.run_between_steps


def _drift(means: np.ndarray) -> bool:
    """Return whether the batches' means go one way over the run, by Spearman's correlation with the order.

    The first probes lie close together: over them the data in their order go one way too.
    """
    if len(means) < _PROBES:
        return False
    ranks = means.argsort().argsort()
    correlation = float(np.corrcoef(ranks, np.arange(len(means)))[0, 1])
    return abs(correlation) * math.sqrt(len(means) - 1) > _DRIFT


def _finding(case: Case, place: Place, sentence: str, evidence: dict[str, object]) -> Finding:
    return Finding(
        difficulty="unshuffled-batches",
        role="cause",
        confidence=0.92,
        sentence=sentence,
        where=case.at_step if case.at_step.file else place.where,
        cost=Cost(3.0, 1.5, float("inf")) if not case.learned else None,
        evidence=evidence,
        remedies=("shuffle the training data at every epoch: DataLoader(..., shuffle=True)",),
        step=0,
    )
