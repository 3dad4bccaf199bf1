"""The largest Hessian eigenvalue: error and cost of ours beside PyHessian's, in one run.

    python benchmarks/curvature.py

The error is against dense eigenvalues in float64, on small networks at several times of their training. The cost is
wall time in units of one gradient of the same loss, timed right before each run; methods take turns, medians over
rounds. Ours includes the gradient with its graph. PyHessian is measured where it can be imported:

    pip install --no-deps --target /tmp/pyhessian pyhessian
    PYTHONPATH=/tmp/pyhessian python benchmarks/curvature.py
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.measure.reference import ModuleStep, dense_hessian, top  # noqa: E402 - found through the line above
from unstuck.measure import Evaluation, sharpness  # noqa: E402

try:
    from pyhessian import hessian as pyhessian
except ImportError:
    pyhessian = None

Estimate = Callable[[ModuleStep], float]
STAGES = (1, 30, 300, 1500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="rounds of timing (default 30)")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results", help="folder of the results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if pyhessian is None:
        print("PyHessian is not installed; `python benchmarks/curvature.py --help` says how. Ours alone is measured.\n")
    result = {"hardware": hardware(), "error": errors(), "cost": costs(options.rounds)}
    show(result)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"curvature-{datetime.now(timezone.utc):%Y-%m-%d}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def hardware() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "pyhessian": version("pyhessian") if pyhessian else None,
    }


def errors() -> list[dict[str, Any]]:
    """Return each method's relative error on each small network; ``warm`` starts at the stage before's eigenvector."""
    rows = []
    for name, make in networks().items():
        warm: Tensor | None = None
        for stage, step in stages(make):
            truth = top(dense_hessian(step))
            row: dict[str, Any] = {"network": name, "steps": stage, "largest": truth}
            for kind, start in (("cold", None), ("warm", warm)):
                evaluation = Evaluation(step, start)
                found = sharpness.measure(evaluation)
                row[kind] = {"error": abs(found["largest"] / truth - 1), "products": found["products"]}
            warm = evaluation.leading
            if pyhessian:
                row["pyhessian"] = {"error": abs(by_pyhessian(step) / truth - 1)}
            rows.append(row)
    return rows


def costs(rounds: int) -> dict[str, Any]:
    """Return the costs on a network with 118,282 parameters and 512 digits, in gradients of the same loss."""
    images, classes = load_digits(return_X_y=True)
    small = torch.tensor(images[:512], dtype=torch.float32).view(-1, 1, 8, 8) / 16
    inputs, labels = F.interpolate(small, size=28, mode="bilinear").flatten(1), torch.tensor(classes[:512])
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 10))
    step = ModuleStep(train(model, inputs, labels, 20), F.cross_entropy, inputs, labels)
    first = Evaluation(step)
    products = {"cold": sharpness.measure(first)["products"]}
    products["warm"] = sharpness.measure(Evaluation(step, first.leading))["products"]
    methods: dict[str, Callable[[], object]] = {
        "cold": lambda: sharpness.measure(Evaluation(step)),
        "warm": lambda: sharpness.measure(Evaluation(step, first.leading)),
    }
    if pyhessian:
        methods["pyhessian"] = lambda: by_pyhessian(step)
    units: list[float] = []
    ratios: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            unit = seconds(lambda: gradient(step), 5)
            units.append(unit)
            ratios[name].append(seconds(method) / unit)
    return {
        "parameters": sum(param.numel() for param in step.params),
        "examples": len(inputs),
        "rounds": rounds,
        "gradient_seconds": statistics.median(units),
        "gradients": {name: statistics.median(found) for name, found in ratios.items()},
        "gradients_quartiles": {name: statistics.quantiles(found, n=4) for name, found in ratios.items()},
        "products": products,
    }


def seconds(run: Callable[[], object], times: int = 1) -> float:
    """Return the mean time of ``run`` over some runs."""
    began = perf_counter()
    for _ in range(times):
        run()
    return (perf_counter() - began) / times


def networks() -> dict[str, Callable[[], nn.Module]]:
    def dense(activation: type[nn.Module]) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(
            nn.Linear(16, 12), activation(), nn.Linear(12, 12), activation(), nn.Linear(12, 4)
        )  # fmt: skip

    def convolution() -> nn.Module:
        shape = nn.Unflatten(1, (1, 4, 4))
        return nn.Sequential(shape, nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(96, 4))

    return {
        "tanh": dense(nn.Tanh),
        "relu": dense(nn.ReLU),
        "sigmoid": dense(nn.Sigmoid),
        "gelu": dense(nn.GELU),
        "convolution": convolution,
    }


def stages(make: Callable[[], nn.Module]) -> Iterator[tuple[int, ModuleStep]]:
    """Yield the step of one network at several times of its training."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(100, 16, generator=generator)
    labels = (inputs @ torch.randn(16, 4, generator=generator)).argmax(1)
    torch.manual_seed(0)
    model, done = make(), 0
    for stage in STAGES:
        train(model, inputs, labels, stage - done)
        done = stage
        yield stage, ModuleStep(copy.deepcopy(model), F.cross_entropy, inputs, labels)


def train(model: nn.Module, inputs: Tensor, labels: Tensor, steps: int) -> nn.Module:
    optimizer = torch.optim.SGD(model.parameters(), 0.2)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return model


def gradient(step: ModuleStep) -> None:
    leaves = [param.detach().requires_grad_() for param in step.params]
    torch.autograd.grad(step.loss(leaves), leaves)


def by_pyhessian(step: ModuleStep) -> float:
    """Return PyHessian's estimate with its defaults (power iteration, at most 100, until it changes by 1e-3)."""
    operator = pyhessian(copy.deepcopy(step.model), step.criterion, data=(step.inputs, step.targets), cuda=False)
    return float(operator.eigenvalues()[0][0])


def show(result: dict[str, Any]) -> None:
    names = [name for name in ("cold", "warm", "pyhessian") if name in result["cost"]["gradients"]]
    print(f"{'':12}{'error: median':>15}{'90 %':>10}{'largest':>10}{'over 1 %':>10}{'products':>10}{'gradients':>11}")
    for name in names:
        found = sorted(row[name]["error"] for row in result["error"])
        over = f"{sum(error > 0.01 for error in found)}/{len(found)}"
        products = [row[name]["products"] for row in result["error"] if "products" in row[name]]
        mean = f"{statistics.mean(products):.1f}" if products else ""
        print(
            f"{name:12}{statistics.median(found):15.1e}{found[int(0.9 * len(found))]:10.1e}{found[-1]:10.1e}"
            f"{over:>10}{mean:>10}{result['cost']['gradients'][name]:11.1f}"
        )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
