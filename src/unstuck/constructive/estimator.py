"""What the classifier and the regressor share: the settings of scikit-learn's kind, and the way through a fit."""

from __future__ import annotations

import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unstuck.constructive.growth import Problem, grow
from unstuck.constructive.network import Cascade
from unstuck.constructive.scaling import Floats, Scaling
from unstuck.constructive.settings import SettingError, Settings
from unstuck.constructive.watching import Watcher
from unstuck.errors import UsageError

try:
    from sklearn.base import BaseEstimator
    from sklearn.base import ClassifierMixin as ClassifierMixin
    from sklearn.base import MultiOutputMixin as MultiOutputMixin
    from sklearn.base import RegressorMixin as RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets as check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise UsageError(
        f"cascades are scikit-learn estimators, and scikit-learn 1.6 or newer is not installed ({error}); "
        "pip install 'unstuck[sklearn]'"
    ) from error

_Self = TypeVar("_Self", bound="CascadeCorrelation")
_DTYPES = {"float32": torch.float32, "float64": torch.float64}
#: Names of the settings of the engine, of which an estimator has some.
_ENGINE = tuple(setting.name for setting in fields(Settings))


class CascadeCorrelation(BaseEstimator):  # type: ignore[misc]
    """Base of the two estimators, which say what the arguments are."""

    #: Whether outputs are linear.
    _linear: ClassVar[bool]

    network_: Cascade
    input_scaling_: Scaling
    n_features_in_: int

    def __init__(
        self,
        *,
        max_hidden: int = 25,
        candidates: int = 8,
        candidate_rate: float = 100.0,
        mu: float = 2.0,
        candidate_decay: float = 0.0,
        candidate_epochs: int = 100,
        candidate_patience: int = 8,
        candidate_change: float = 0.03,
        output_decay: float = 1e-4,
        threshold: float = 0.4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        validation_patience: int = 3,
        standardize: bool = True,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "cpu",
        dtype: str = "float64",
        verbose: bool = False,
        progress: bool = False,
    ) -> None:
        self.max_hidden = max_hidden
        self.candidates = candidates
        self.candidate_rate = candidate_rate
        self.mu = mu
        self.candidate_decay = candidate_decay
        self.candidate_epochs = candidate_epochs
        self.candidate_patience = candidate_patience
        self.candidate_change = candidate_change
        self.output_decay = output_decay
        self.threshold = threshold
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_patience = validation_patience
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose
        self.progress = progress

    def _validated(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> tuple[Floats, Any, Floats | None]:
        """Return inputs, targets and weights as arrays, without the rows that have no weight."""
        inputs, targets = validate_data(self, X, y, dtype=np.float64, **how)
        if sample_weight is None:
            return inputs, targets, None
        weights = _check_sample_weight(sample_weight, inputs, dtype=np.float64, ensure_non_negative=True)
        there = weights > 0
        if not there.any():
            raise ValueError("all sample weights are 0; at least one must be more")
        return inputs[there], targets[there], weights[there]

    def _fit(self, inputs: Floats, targets: Floats, weights: Floats | None, strata: NDArray[Any] | None) -> None:
        """Grow the network: ``targets`` are ``[n, outputs]`` as the outputs are to be."""
        settings, go_on = self._settings(), self.warm_start and hasattr(self, "network_")
        if not go_on:
            columns = inputs.shape[1]
            self.input_scaling_ = Scaling.of(inputs, weights) if self.standardize else Scaling.none(columns)
        random = check_random_state(self.random_state)
        train, held = self._split(len(inputs), strata, random)
        problem = self._problem(inputs, targets, weights, train)
        validation = self._problem(inputs, targets, weights, held) if held is not None else None
        generator = np.random.default_rng(random.randint(2**31 - 1))
        start = self.network_ if go_on else None
        with Watcher(
            validation, self.validation_patience, self.max_hidden, bool(self.verbose), bool(self.progress)
        ) as watcher:
            network = grow(problem, settings, [generator], start, watcher)[0]
        self._check_converged(network)
        self.network_ = network if watcher.best is None else network.cut(watcher.best)
        self.history_ = watcher.history(network)
        self.hidden_units_, self.n_iter_ = self.network_.hidden_units, network.epochs

    def _settings(self) -> Settings:
        if self.dtype not in _DTYPES:
            raise SettingError(f"dtype is {self.dtype!r}; it must be 'float32' or 'float64'")
        if not 0 < self.validation_fraction < 1:
            raise SettingError(f"validation_fraction is {self.validation_fraction!r}; it must be between 0 and 1")
        chosen = self.get_params(deep=False)
        return Settings(**{name: chosen[name] for name in _ENGINE if name in chosen})

    def _split(
        self, n: int, strata: NDArray[Any] | None, random: np.random.RandomState
    ) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
        """Return the rows to train on, and those that are kept apart."""
        rows = np.arange(n)
        if not self.early_stopping or n < 2:
            return rows, None
        train, held = train_test_split(rows, test_size=self.validation_fraction, stratify=strata, random_state=random)
        return train, held

    def _problem(self, inputs: Floats, targets: Floats, weights: Floats | None, rows: NDArray[np.intp]) -> Problem:
        return Problem(
            self._tensor(self.input_scaling_.apply(inputs[rows])),
            self._tensor(targets[rows]),
            self._linear,
            None if weights is None else self._tensor(weights[rows]),
        )

    def _tensor(self, values: Floats) -> Tensor:
        return torch.as_tensor(values, dtype=_DTYPES[self.dtype], device=self.device)

    def _check_converged(self, network: Cascade) -> None:
        advice = "lower output_rate" if self.standardize else "lower output_rate, or set standardize=True"
        if not network.outputs:
            raise ValueError(f"the error of the outputs grew beyond all bounds; {advice}")
        if network.diverged:
            warnings.warn(
                f"growth ended at {network.hidden_units} hidden units, because the error of the outputs grew beyond "
                f"all bounds with one more; {advice}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _outputs(self, X: Any) -> Floats:
        """Return the outputs of the network, ``[n, outputs]``."""
        check_is_fitted(self)
        inputs = validate_data(self, X, reset=False, dtype=np.float64)
        with torch.inference_mode():
            out = self.network_(self._tensor(self.input_scaling_.apply(inputs)))
        return out.cpu().numpy().astype(np.float64)

    def to_module(self) -> nn.Module:
        """Return the fitted network as a plain module, from inputs as they are to what is predicted.

        Returns:
            A module that takes ``[n, features]`` and gives probabilities ``[n, classes]`` or targets
            ``[n, outputs]``, in the estimator's dtype.
        """
        from unstuck.constructive.module import to_module

        check_is_fitted(self)
        return to_module(self)

    def export_onnx(self, path: str | Path) -> None:
        """Write the module as an ONNX model, with an input ``inputs`` and an output ``outputs``.

        Args:
            path: The file.

        Raises:
            UsageError: ONNX is not installed.
        """
        from unstuck.constructive.module import export_onnx

        check_is_fitted(self)
        export_onnx(self, path)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to an ``.npz`` file, without pickle.

        Args:
            path: The file; its ending is kept as it is.
        """
        from unstuck.constructive.saving import save

        check_is_fitted(self)
        save(self, path)

    @classmethod
    def load(cls: type[_Self], path: str | Path) -> _Self:
        """Read what ``save`` wrote.

        Args:
            path: The file.

        Returns:
            The fitted estimator.

        Raises:
            UsageError: The file holds no estimator of this class.
        """
        from unstuck.constructive.saving import load

        return load(cls, path)
