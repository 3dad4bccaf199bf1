"""The estimators: scikit-learn's own checks, and what they promise beyond."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from unstuck import CascadeCorrelationClassifier, CascadeCorrelationRegressor, UsageError

#: Cases are kept apart at random: a case of weight 2 is kept apart whole, two of weight 1 are not. Without that the
#: check passes with few units; with twenty-five on its 15 cases, rounding errors have grown beyond its tolerance.
SPLIT = {
    "check_sample_weight_equivalence_on_dense_data": "cases that are kept apart are drawn by row, whatever they weigh"
}


@parametrize_with_checks(
    [
        CascadeCorrelationClassifier(),
        CascadeCorrelationRegressor(early_stopping=False, max_hidden=3),
        CascadeCorrelationRegressor(),
    ],
    expected_failed_checks=lambda one: (
        SPLIT if isinstance(one, CascadeCorrelationRegressor) and one.early_stopping else {}
    ),
)
def test_scikit_learn_checks_them(estimator, check):
    check(estimator)


def circles():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(150, 3))
    return inputs, np.array(["near", "middle", "far"])[np.digitize((inputs**2).sum(1), [1.5, 4])]


def waves():
    inputs = np.random.default_rng(1).uniform(-2, 2, (200, 2))
    return inputs, 300 + 50 * np.sin(2 * inputs[:, 0]) * inputs[:, 1]


def test_a_classifier_learns_its_cases():
    inputs, classes = circles()
    one = CascadeCorrelationClassifier(random_state=0).fit(inputs, classes)
    assert one.score(inputs, classes) == 1.0
    assert list(one.classes_) == ["far", "middle", "near"]
    assert one.hidden_units_ >= 1
    np.testing.assert_allclose(one.predict_proba(inputs).sum(1), 1)
    assert [row["phase"] for row in one.history_[:3]] == ["outputs", "candidates", "outputs"]
    assert one.history_[-1]["epochs_so_far"] == one.n_iter_


def test_a_regressor_beats_a_line_and_keeps_the_best_on_cases_apart():
    inputs, targets = waves()
    one = CascadeCorrelationRegressor(random_state=0, max_hidden=12).fit(inputs[:150], targets[:150])
    line = CascadeCorrelationRegressor(random_state=0, max_hidden=0).fit(inputs[:150], targets[:150])
    assert one.score(inputs[150:], targets[150:]) > 0.8 > line.score(inputs[150:], targets[150:])
    errors = {row["hidden_units"]: row["validation_error"] for row in one.history_ if row["phase"] == "outputs"}
    assert one.hidden_units_ == min(errors, key=errors.get)


def test_several_targets_keep_their_shape():
    inputs, targets = waves()
    both = np.stack([targets, -targets], 1)
    one = CascadeCorrelationRegressor(random_state=0, max_hidden=2).fit(inputs, both)
    assert one.predict(inputs).shape == (200, 2)
    np.testing.assert_allclose(one.predict(inputs).sum(1), 0, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [CascadeCorrelationClassifier, CascadeCorrelationRegressor])
def test_file_and_module_say_the_same(kind, dtype, tmp_path):
    inputs, targets = circles() if kind is CascadeCorrelationClassifier else waves()
    one = kind(random_state=0, max_hidden=3, dtype=dtype).fit(inputs, targets)
    ask = one.predict_proba if kind is CascadeCorrelationClassifier else lambda x: one.predict(x)[:, None]
    module = one.to_module()(torch.tensor(inputs, dtype=getattr(torch, dtype))).detach().numpy()
    np.testing.assert_allclose(module, ask(inputs), rtol=1e-9 if dtype == "float64" else 2e-4, atol=1e-6)
    one.save(tmp_path / "network.npz")
    again = kind.load(tmp_path / "network.npz")
    np.testing.assert_array_equal(again.predict(inputs), one.predict(inputs))
    assert again.get_params() == one.get_params()
    assert (again.history_, again.n_iter_, again.hidden_units_) == (one.history_, one.n_iter_, one.hidden_units_)


def test_classes_of_any_plain_kind_are_saved(tmp_path):
    inputs, classes = circles()
    one = CascadeCorrelationClassifier(max_hidden=1).fit(inputs, classes.astype(object))
    one.save(tmp_path / "a.npz")
    again = CascadeCorrelationClassifier.load(tmp_path / "a.npz")
    assert again.predict(inputs).dtype == object
    np.testing.assert_array_equal(again.predict(inputs), one.predict(inputs))


def test_a_file_of_another_kind_is_refused(tmp_path):
    CascadeCorrelationRegressor(max_hidden=0).fit(*waves()).save(tmp_path / "r.npz")
    with pytest.raises(UsageError, match="holds a CascadeCorrelationRegressor"):
        CascadeCorrelationClassifier.load(tmp_path / "r.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(UsageError, match="was not written by save"):
        CascadeCorrelationClassifier.load(tmp_path / "text.npz")


def test_an_onnx_model_says_the_same(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    inputs, classes = circles()
    one = CascadeCorrelationClassifier(max_hidden=3, dtype="float32").fit(inputs, classes)
    one.export_onnx(tmp_path / "a.onnx")
    session = runtime.InferenceSession(str(tmp_path / "a.onnx"))
    said = session.run(None, {"inputs": inputs[:7].astype(np.float32)})[0]
    np.testing.assert_allclose(said, one.predict_proba(inputs[:7]), rtol=1e-4, atol=1e-5)


def test_a_warm_start_goes_on():
    inputs, classes = circles()
    one = CascadeCorrelationClassifier(max_hidden=1, warm_start=True, random_state=0).fit(inputs, classes)
    unit = one.network_.hidden[0]
    one.set_params(max_hidden=2).fit(inputs, classes)
    assert one.hidden_units_ == 2
    assert one.network_.hidden[0] is unit
    with pytest.raises(ValueError, match="warm_start goes on with the classes"):
        one.fit(inputs, classes == "far")


def test_it_tells_how_far_it_is(capsys):
    CascadeCorrelationClassifier(max_hidden=2, verbose=True, early_stopping=True).fit(*circles())
    lines = capsys.readouterr().out.splitlines()
    assert "0 hidden units" in lines[0]
    assert "validation" in lines[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"dtype": "int8"}, "dtype is 'int8'"), ({"candidates": 0}, "candidates is 0"), ({"mu": -1}, "mu is -1")],
)
def test_a_wrong_setting_is_a_value_error_that_says_it(settings, words):
    with pytest.raises(ValueError, match=words):
        CascadeCorrelationClassifier(**settings).fit(*circles())


def test_without_scikit_learn_the_rest_of_the_package_works():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import unstuck, unstuck.constructive.growth\n"
        "try:\n    unstuck.CascadeCorrelationRegressor\n"
        "except unstuck.UsageError as error:\n    print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'unstuck[sklearn]'" in out
