"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unstuck.constructive.estimator import CascadeCorrelation, ClassifierMixin, check_classification_targets
from unstuck.constructive.scaling import Floats


class CascadeCorrelationClassifier(ClassifierMixin, CascadeCorrelation):  # type: ignore[misc]
    """A network that grows its hidden units one at a time until it is right on all it was shown.

    Cascade-Correlation (Fahlman & Lebiere 1990). It begins without hidden units. When the outputs stop improving, a
    pool of candidate units is trained to follow the error that is left; the best is put into the network, its inputs
    frozen, and the outputs are trained again. There is no size to choose and no gradient that passes through layers.

    Two classes have one sigmoid output. More have one each, with targets 0 and 1, and probabilities are the outputs
    over their sum. Settings are those of the published two-spirals experiment. A sample weight counts as repetition.

    Args:
        max_hidden: Hidden units at most.
        candidates: Units in the pool.
        output_rate: Quickprop's rate for the outputs.
        candidate_rate: Quickprop's rate for candidates.
        mu: A step is at most this many times the one before.
        candidate_decay: Weight decay of candidates.
        candidate_epochs: Epochs of a candidate phase at most.
        candidate_patience: Epochs without a change that end a candidate phase.
        candidate_change: Part by which the best score must change.
        output_epochs: Epochs of an output phase at most.
        output_patience: Epochs without a change that end an output phase.
        output_change: Part by which the error must change.
        output_decay: Weight decay of the outputs.
        threshold: An output is right where it is closer than this to 0 or 1.
        early_stopping: Whether to keep cases apart, and the network that is best on them.
        validation_fraction: Part of the cases that is kept apart.
        validation_patience: Units without a lower error on those that end growth.
        standardize: Whether to bring inputs to mean 0 and standard deviation 1.
        warm_start: Whether ``fit`` goes on from the network that is there; its units and scaling stay.
        random_state: Seed, or generator.
        device: Device of PyTorch.
        dtype: ``float32`` or ``float64``.
        verbose: Whether to print a line a unit.
        progress: Whether to show a progress bar.

    Attributes:
        classes_: The classes, sorted.
        hidden_units_: Number of hidden units.
        n_iter_: Epochs of all phases.
        history_: The phases: epochs, squared error or score, validation error.
        network_: The network.
        n_features_in_: Number of inputs.
    """

    _linear: ClassVar[bool] = False

    classes_: NDArray[Any]

    def __init__(
        self,
        *,
        max_hidden: int = 25,
        candidates: int = 8,
        output_rate: float = 1.0,
        candidate_rate: float = 100.0,
        mu: float = 2.0,
        candidate_decay: float = 0.0,
        candidate_epochs: int = 100,
        candidate_patience: int = 8,
        candidate_change: float = 0.03,
        output_epochs: int = 100,
        output_patience: int = 12,
        output_change: float = 0.01,
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
        self.output_rate = output_rate
        self.output_epochs = output_epochs
        self.output_patience = output_patience
        self.output_change = output_change

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CascadeCorrelationClassifier:
        """Grow a network.

        Args:
            X: Inputs ``[n, features]``.
            y: Classes ``[n]``.
            sample_weight: Weights ``[n]``; None where all count once.

        Returns:
            The estimator.

        Raises:
            ValueError: There is one class only, or a warm start meets other classes.
        """
        inputs, labels, weights = self._validated(X, y, sample_weight)
        check_classification_targets(labels)
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"there is only one class, {classes[0]!r}; a classifier needs two or more")
        if self.warm_start and hasattr(self, "network_") and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start goes on with the classes {self.classes_}, and y has the classes {classes}")
        self.classes_ = classes
        targets = np.eye(len(classes))[numbers]
        self._fit(inputs, targets[:, 1:] if len(classes) == 2 else targets, weights, numbers)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class.

        Args:
            X: Inputs ``[n, features]``.

        Returns:
            ``[n, classes]``, rows that sum to 1.
        """
        out = self._outputs(X)
        if out.shape[1] == 1:
            return np.hstack([1 - out, out])
        shares: Floats = out / np.maximum(out.sum(1, keepdims=True), np.finfo(np.float64).tiny)
        return shares

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each case.

        Args:
            X: Inputs ``[n, features]``.

        Returns:
            ``[n]``.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]  # type: ignore[no-any-return]
