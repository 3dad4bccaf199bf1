"""The metrics that a program prints of itself, read from its lines as series by their names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from unstuck.record import jsonl

_VALUE = r"(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf)\b)"
#: A share is written in three ways: ``93.1%``, ``9310 / 10000``, ``0.931``.
_NUMBER = rf"{_VALUE}(?:\s*/\s*(?P<of>\d+\.?\d*)(?![\d/:]))?(?P<percent>\s*%)?(?![\w:])"
_NAME = r"(?P<name>[a-z][\w@./\-]*(?:[ ]+[a-z(][\w@./\-)]*){0,4})"
_PAIR = re.compile(rf"{_NAME}['\"]?\s*(?:\([^()]*\)\s*)?[:=]+\s*(?:tensor\()?['\"]?{_NUMBER}", re.IGNORECASE)
_BARE = re.compile(rf"{_NAME}\s+{_NUMBER}", re.IGNORECASE)
#: The line of the oldest of all training programs: ``Epoch 3: 9123 / 10000`` are right.
_RIGHT = re.compile(r"epoch\s+(?P<epoch>\d+)\s*:\s*(?P<value>\d+)\s*/\s*(?P<of>\d+)\s*", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+\d*|\d+")
#: ``top-1`` and ``acc@5`` are one word each.
_TOP = re.compile(r"([a-z])@(\d)|(?<=top)[- ](?=\d)")

_HIGHER = frozenset(
    "acc accuracy correct right auc auroc roc ap map precision recall f f1 r2 bleu rouge iou miou jaccard dice psnr "
    "ssim reward return score top1 top5 hits ndcg mrr kappa mcc win wins sensitivity specificity elbo".split()
)
_LOWER = frozenset(
    "loss losses err error errors wrong mse rmse mae mape nll perplexity ppl wer cer fid bpc bpb kl bce ce entropy "
    "cost brier deviance".split()
)
_SHARES = frozenset("acc accuracy correct right precision recall map ap top iou miou dice f auc auroc".split())
_LOSSES = frozenset("loss losses nll perplexity ppl bpc bpb kl bce ce entropy cost deviance elbo".split())
_SETS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val"}
_SETS |= {"test": "test", "testing": "test", "eval": "eval", "evaluation": "eval"}
_NAMES_OF_SETS = frozenset(_SETS.values())
#: Words that say nothing of what is measured, and names that count or time rather than measure.
_FILLERS = frozenset(
    "the of on at a an is was with set average avg mean running final current epoch total overall".split()
)
_BOOKKEEPING = frozenset(
    "epoch epochs step steps iter iters iteration iterations batch batches lr rate time elapsed eta seconds sec "
    "secs s ms second runtime speed throughput fps minutes seed gpu gpus cuda rank memory mem size samples images "
    "examples params parameters version file line fold workers momentum decay dim layers tokens gb mb num number "
    "norm beta betas eps patience count k it port pid".split()
)


def read_metrics(file: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Read the metrics from the lines that a run has noted.

    Args:
        file: What ``printed.note`` has written.

    Returns:
        By name, in lower-case words and with the set that it was measured on before it (``val acc``): the steps done
        when the value was printed, and the values. Shares are between 0 and 1 where they were printed as such.
    """
    series: dict[str, tuple[list[int], list[float]]] = {}
    epochs: list[str] = []
    for record in jsonl.read(file):
        right = _RIGHT.fullmatch(record["text"].strip())
        if right is not None and int(right["of"]):
            epochs.append(right["epoch"])
        pairs = [("correct", int(right["value"]) / int(right["of"]))] if epochs and right else _pairs(record["text"])
        for name, value in pairs:
            steps, values = series.setdefault(name, ([], []))
            steps.append(record["step"])
            values.append(value)
    if len(epochs) != len(set(epochs)):
        series.pop("correct", None)  # several in an epoch: that counts the batches
    return series


def same_name(name: str) -> str:
    """Return a name in the words that names are compared by: ``Validation_Accuracy`` is ``val accuracy``."""
    return " ".join(_SETS.get(word, word) for word in _words(name) if word not in _FILLERS)


def is_loss(name: str) -> bool:
    """Whether a metric is a loss by its name, which means something else where an arm changes the loss."""
    return not _LOSSES.isdisjoint(_words(name))


def is_share(name: str) -> bool:
    """Whether a metric is a share of a whole by its name, so that values above 1 are in percent."""
    return any(word.rstrip("0123456789") in _SHARES for word in _words(name))


def set_of(name: str) -> str:
    """Return the set that a metric was measured on, by its name: ``train``, ``val``, ``test``, ``eval`` or none."""
    return next((_SETS[word] for word in _words(name) if word in _SETS), "")


def higher_is_better(name: str) -> bool | None:
    """Return whether a metric is better when it is higher, None where its name does not tell.

    Args:
        name: Name as :func:`read_metrics` gives it, or as printed.
    """
    for word in reversed(_words(name)):
        for known in (word, word.rstrip("0123456789")):  # f1; acc5, map50
            if known in _LOWER or known in _HIGHER:
                return known in _HIGHER
    return None


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    """Yield the names and values in a line; of those without a sign between, only such as are surely metrics."""
    found = [(_normal(match["name"], line[: match.start()]), match) for match in _PAIR.finditer(line)]
    rest = _PAIR.sub(lambda match: f" ; {'' if _normal(match['name'], '') else match['name']} ; ", line)
    for match in _BARE.finditer(rest):
        name = _normal(match["name"], "")
        if name and higher_is_better(name.split()[-1]) is not None:
            found.append((name, match))
            rest = rest.replace(match[0], " ; ")
    sets = {_SETS[word] for word in _words(rest) if word in _SETS}
    where = sets.pop() if len(sets) == 1 else ""
    for name, match in found:
        if name:
            named = not where or not _NAMES_OF_SETS.isdisjoint(name.split())
            yield (name if named else f"{where} {name}"), _number(match)


def _normal(name: str, before: str) -> str:
    """Return a name in lower-case words, or nothing where it names no measurement.

    Args:
        name: As printed.
        before: What is printed before it: ``Accuracy of the network on the 10000 test images: 54 %``.
    """
    words = [_SETS.get(word, word) for word in _words(name) if word not in _FILLERS and not word.isdigit()]
    measured = [word for word in words if word not in _BOOKKEEPING]
    sets = [word for word in words if word in _NAMES_OF_SETS]
    if not words or words[-1] in _BOOKKEEPING or measured == sets:
        said = [*_words(re.split(r"[,;|:]", before)[-1]), ""]
        # A word with a number of its own, as in "acc 0.9 lr: 0.1", is not what this one measures.
        free = [word for word, after in pairwise(said) if not after.isdigit()]
        metric = [word for word in free if higher_is_better(word) is not None]
        return " ".join([*sets, *metric[-1:]]) if metric else ""
    return " ".join(measured)


def _words(text: str) -> list[str]:
    return _WORD.findall(_TOP.sub(r"\1\2", text.lower().replace("_", " ")))


def _number(match: re.Match[str]) -> float:
    value = float(match["value"])
    whole = float(match["of"]) if match["of"] else 0.0
    if whole:
        return value / whole
    return value / 100 if match["percent"] and math.isfinite(value) else value
