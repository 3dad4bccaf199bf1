"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from unstuck.constructive.estimator import CascadeCorrelation, MultiOutputMixin, RegressorMixin
from unstuck.constructive.scaling import Floats, Scaling


class CascadeCorrelationRegressor(MultiOutputMixin, RegressorMixin, CascadeCorrelation):  # type: ignore[misc]
    """A network that grows its hidden units one at a time, with linear outputs.

    Cascade-Correlation (Fahlman & Lebiere 1990), as ``CascadeCorrelationClassifier`` tells. Targets are brought to mean
    0 and standard deviation 1 inside. The weights of the outputs solve a least-squares problem and are not trained step
    by step, as inputs of real tables are correlated. Where a classifier ends when it is right, a regression has no such
    end: unless it is told otherwise it keeps cases apart, and the network that is best on them.

    Args:
        max_hidden: Hidden units at most.
        candidates: Units in the pool.
        candidate_rate: Quickprop's rate for candidates.
        mu: A step is at most this many times the one before.
        output_decay: Weight decay of the outputs.
        candidate_decay: Weight decay of candidates.
        candidate_epochs: Epochs of a candidate phase at most.
        candidate_patience: Epochs without a change that end a candidate phase.
        candidate_change: Part by which the best score must change.
        threshold: Growth ends when all cases are closer than this to their targets, in standard deviations of the
            targets; with 0 none is.
        early_stopping: Whether to keep cases apart, and the network that is best on them.
        validation_fraction: Part of the cases that is kept apart.
        validation_patience: Units without a lower error on those that end growth.
        standardize: Whether to bring inputs to mean 0 and standard deviation 1.
        warm_start: Whether ``fit`` goes on from the network that is there; its units and scalings stay.
        random_state: Seed, or generator.
        device: Device of PyTorch.
        dtype: ``float32`` or ``float64``.
        verbose: Whether to print a line a unit.
        progress: Whether to show a progress bar.

    Attributes:
        hidden_units_: Number of hidden units.
        n_iter_: Epochs of all phases.
        history_: The phases: epochs, squared error or score, validation error; of scaled targets.
        network_: The network.
        target_scaling_: The scaling of the targets.
        n_features_in_: Number of inputs.
    """

    _linear: ClassVar[bool] = True

    target_scaling_: Scaling

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
        threshold: float = 0.0,
        early_stopping: bool = True,
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
        super().__init__(
            max_hidden=max_hidden,
            candidates=candidates,
            candidate_rate=candidate_rate,
            mu=mu,
            candidate_decay=candidate_decay,
            candidate_epochs=candidate_epochs,
            candidate_patience=candidate_patience,
            candidate_change=candidate_change,
            output_decay=output_decay,
            threshold=threshold,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_patience=validation_patience,
            standardize=standardize,
            warm_start=warm_start,
            random_state=random_state,
            device=device,
            dtype=dtype,
            verbose=verbose,
            progress=progress,
        )

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CascadeCorrelationRegressor:
        """Grow a network.

        Args:
            X: Inputs ``[n, features]``.
            y: Targets ``[n]`` or ``[n, outputs]``.
            sample_weight: Weights ``[n]``; None where all count once.

        Returns:
            The estimator.

        Raises:
            ValueError: A warm start meets another number of targets.
        """
        inputs, y, weights = self._validated(X, y, sample_weight, multi_output=True, y_numeric=True)
        targets = y.reshape(len(y), -1).astype(np.float64)
        if not (self.warm_start and hasattr(self, "network_")):
            self.target_scaling_ = Scaling.of(targets, weights)
        elif len(self.target_scaling_.mean) != targets.shape[1]:
            known = len(self.target_scaling_.mean)
            raise ValueError(f"warm_start goes on with {known} targets, and y has {targets.shape[1]}")
        self.flat_ = y.ndim == 1
        self._fit(inputs, self.target_scaling_.apply(targets), weights, None)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the target of each case.

        Args:
            X: Inputs ``[n, features]``.

        Returns:
            ``[n]`` or ``[n, outputs]``, as the targets were.
        """
        out = self._outputs(X)  # first: it says so where nothing is fitted yet
        out = self.target_scaling_.undo(out)
        return out[:, 0] if self.flat_ else out
