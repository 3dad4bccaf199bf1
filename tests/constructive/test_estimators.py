"""scikit-learn's own checks."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from unstuck import CascadeCorrelationClassifier, CascadeCorrelationRegressor

#: Cases are kept apart at random: a case of weight 2 is kept apart whole, two of weight 1 are not.
SPLIT = {
    "check_sample_weight_equivalence_on_dense_data": "cases that are kept apart are drawn by row, whatever they weigh"
}


@parametrize_with_checks(
    [
        CascadeCorrelationClassifier(),
        CascadeCorrelationRegressor(early_stopping=False),
        CascadeCorrelationRegressor(),
    ],
    expected_failed_checks=lambda one: (
        SPLIT if isinstance(one, CascadeCorrelationRegressor) and one.early_stopping else {}
    ),
)
def test_scikit_learn_checks_them(estimator, check):
    check(estimator)
