"""Cascade-Correlation: speed beside plain NumPy, accuracy on scikit-learn's tables beside its own networks.

Both networks get the same standardised inputs, five folds, and their default settings; accuracy is that of a
classifier, R2 that of a regressor. Speed is CPU time of one thread, side by side, the median of several.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from tests.constructive.reference import cascade
from unstuck import CascadeCorrelationClassifier, CascadeCorrelationRegressor
from unstuck.constructive.growth import Problem, grow
from unstuck.constructive.settings import Settings
from unstuck.constructive.spirals import two_spirals

_TABLES = {"breast cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits, "diabetes": load_diabetes}
_REGRESSION = ("diabetes",)


def speed(repeats: int, trials: int) -> dict[str, float]:
    inputs, targets = two_spirals()
    problem = Problem(inputs, targets)
    rows = []
    for repeat in range(repeats):
        generator = [np.random.default_rng(100 * repeat + trial) for trial in range(trials)]
        one = np.random.default_rng(repeat)
        plain = _seconds(cascade, inputs.numpy(), targets.numpy() - 0.5, Settings(), one)
        alone = _seconds(grow, problem, Settings(), [np.random.default_rng(repeat)])
        together = _seconds(grow, problem, Settings(), generator) / trials
        rows.append((plain, alone, together, alone / plain, together / plain))
    names = ("numpy_s", "alone_s", "together_s_per_trial", "alone_over_numpy", "together_over_numpy")
    return {name: statistics.median(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def tables() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, load in _TABLES.items():
        inputs, targets = load(return_X_y=True)
        regression = name in _REGRESSION
        folds = (KFold if regression else StratifiedKFold)(5, shuffle=True, random_state=0)
        kinds = (
            (CascadeCorrelationRegressor, MLPRegressor) if regression else (CascadeCorrelationClassifier, MLPClassifier)
        )
        for kind in kinds:
            scores, seconds, units = [], [], []
            for train, test in folds.split(inputs, targets):
                scaler = StandardScaler().fit(inputs[train])
                one = kind(random_state=0)
                seconds.append(_seconds(one.fit, scaler.transform(inputs[train]), targets[train]))
                scores.append(one.score(scaler.transform(inputs[test]), targets[test]))
                units.append(getattr(one, "hidden_units_", 100))
            row = {"data": name, "network": kind.__name__, "score": "R2" if regression else "accuracy"}
            row |= {"mean": statistics.mean(scores), "sd": statistics.stdev(scores)}
            row |= {"cpu_s_per_fit": statistics.median(seconds), "hidden_units": statistics.mean(units)}
            rows.append(row)
            print(
                f"{name:14}{kind.__name__:30}{row['score']:9}{row['mean']:.3f} +- {row['sd']:.3f}"
                f"{row['cpu_s_per_fit']:9.2f} s{row['hidden_units']:7.1f} units",
                flush=True,
            )
    return rows


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.process_time()
    work(*arguments)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="repetitions of the speed (default: 5)")
    parser.add_argument("--trials", type=int, default=100, help="trials that grow together (default: 100)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / f"cascade-{date.today()}.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the default 200 iterations are too few for some tables
    measured = speed(arguments.repeats, arguments.trials)
    print("  ".join(f"{name} {value:.3g}" for name, value in measured.items()), flush=True)
    rows = tables()
    about = {"torch": torch.__version__, "numpy": np.__version__, "threads": 1, "repeats": arguments.repeats}
    arguments.out.write_text(json.dumps({"about": about, "speed": measured, "tables": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
