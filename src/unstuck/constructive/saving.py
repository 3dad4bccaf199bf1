"""A fitted estimator in a file of arrays and JSON: no pickle, so that reading one runs no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from unstuck.constructive.network import Cascade, Phase
from unstuck.constructive.scaling import Scaling
from unstuck.errors import UsageError

if TYPE_CHECKING:
    from unstuck.constructive.estimator import CascadeCorrelation

_One = TypeVar("_One", bound="CascadeCorrelation")
_FORMAT = 1
#: Fitted values that are JSON.
_PLAIN = ("history_", "hidden_units_", "n_iter_", "n_features_in_", "flat_")


def save(estimator: CascadeCorrelation, path: str | Path) -> None:
    """Write a fitted estimator. A ``random_state`` that is no number is not kept.

    Args:
        estimator: The estimator.
        path: The file.

    Raises:
        UsageError: The classes are neither numbers nor text.
    """
    network = estimator.network_
    settings = estimator.get_params(deep=False)
    if not isinstance(settings["random_state"], int):
        settings["random_state"] = None
    arrays: dict[str, Any] = {f"hidden_{place}": weights for place, weights in enumerate(network.hidden)}
    arrays |= {"outputs": network.outputs[-1], "input_mean": estimator.input_scaling_.mean}
    arrays |= {"input_scale": estimator.input_scaling_.scale}
    targets: Scaling | None = getattr(estimator, "target_scaling_", None)
    if targets is not None:
        arrays |= {"target_mean": targets.mean, "target_scale": targets.scale}
    classes = getattr(estimator, "classes_", None)
    if classes is not None:
        arrays["classes"] = _as_text(classes) if classes.dtype == object else classes
    head = {
        "format": _FORMAT,
        "class": type(estimator).__name__,
        "settings": settings,
        "fitted": {name: getattr(estimator, name) for name in _PLAIN if hasattr(estimator, name)},
        "names": [str(name) for name in getattr(estimator, "feature_names_in_", ())],
        "classes_are_objects": classes is not None and classes.dtype == object,
        "phases": [[phase.kind, phase.epochs, phase.value] for phase in network.phases],
        "right": network.right,
    }
    arrays["head"] = np.array(json.dumps(head, default=_plain))
    with Path(path).open("wb") as file:
        np.savez(file, **arrays)


def load(kind: type[_One], path: str | Path) -> _One:
    """Read what ``save`` wrote.

    Args:
        kind: Class of the estimator.
        path: The file.

    Returns:
        The fitted estimator.

    Raises:
        UsageError: The file holds no estimator of this class.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
    except (AttributeError, BadZipFile, KeyError, ValueError, EOFError) as error:
        raise UsageError(f"{path} was not written by save(): {error}") from error
    if head.get("class") != kind.__name__ or head.get("format") != _FORMAT:
        raise UsageError(
            f"{path} holds a {head.get('class')}, format {head.get('format')}; "
            f"here a {kind.__name__}, format {_FORMAT}, is read"
        )
    estimator = kind(**head["settings"])
    hidden = [arrays[f"hidden_{place}"] for place in range(sum(name.startswith("hidden_") for name in arrays))]
    phases = [Phase(*phase) for phase in head["phases"]]
    inputs = len(arrays["input_mean"])
    estimator.network_ = Cascade(inputs, kind._linear, hidden, [arrays["outputs"]], phases, head["right"])
    estimator.input_scaling_ = Scaling(arrays["input_mean"], arrays["input_scale"])
    fitted = dict(head["fitted"])
    if "target_mean" in arrays:
        fitted["target_scaling_"] = Scaling(arrays["target_mean"], arrays["target_scale"])
    if "classes" in arrays:
        fitted["classes_"] = arrays["classes"].astype(object) if head["classes_are_objects"] else arrays["classes"]
    if head["names"]:
        fitted["feature_names_in_"] = np.array(head["names"], dtype=object)
    for name, value in fitted.items():
        setattr(estimator, name, value)
    return estimator


def _as_text(classes: Any) -> Any:
    if not all(isinstance(one, str) for one in classes):
        raise UsageError(f"classes are saved where they are numbers or text; here they are {list(classes)[:5]}")
    return classes.astype(str)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise UsageError(f"settings are saved where they are plain values; got {value!r}")
