"""How often ``unstuck fix`` calls an arm proven that is the program itself on other seeds.

    python -m benchmarks.equal_arms --record             runs the programs and keeps their curves; a quarter of an hour
    python -m benchmarks.equal_arms [--races 200]        races between the stored curves; some minutes

The curves lie in ``tests/trials/data``: 16 trials of each program, run one after the other as a race runs them, with
shifted seeds. Of every step the loss is kept in single precision, of every sixteenth the seconds; a race reads no more.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.overhead import machine  # noqa: E402
from tests.trials import equal_arms  # noqa: E402
from tests.trials.equal_arms import Setting, Stored, proven  # noqa: E402
from unstuck.trials.curve import Curve, read_curve  # noqa: E402
from unstuck.trials.engines.local import LocalEngine  # noqa: E402
from unstuck.trials.spec import Spec, Trial  # noqa: E402

#: Short programs of many kinds, a slow one and one that is stuck; with the level that the latter is stuck at.
PROGRAMS: dict[str, float | None] = {
    "digits_cnn": None,
    "names_lstm": None,
    "forecast_gru": None,
    "digits_mlp_plain": None,
    "linear_regression": None,
    "diabetes_regression": None,
    "poisson_counts": None,
    "xor_tiny --scale 1e-4": None,
    "digits_mlp_plain --fault step-too-small": None,
}
SEEDS = 16
SETTINGS = {
    "one arm, 3 seeds": Setting(),
    "six arms, 3 seeds": Setting(arms=6),
    "six arms of a long program": Setting(arms=6, slower=100.0),
    "six arms by time": Setting(arms=6, by_time=True),
    "one arm, 2 seeds": Setting(seeds=2),
    "one arm, 6 seeds": Setting(seeds=6),
}


def record(line: str, plateau: float | None) -> Stored:
    """Run one program on all seeds.

    Args:
        line: Its name in ``tests/programs`` and its arguments.
        plateau: Level that it is stuck at, None where it learns.

    Raises:
        RuntimeError: A trial was not done.
    """
    stem, *arguments = line.split()
    command = (sys.executable, str(ROOT / "tests" / "programs" / f"{stem}.py"), *arguments, "--seed", "0")
    curves: list[Curve] = []
    with tempfile.TemporaryDirectory() as place:
        specs = [Spec("baseline", seed=seed, seconds=600.0) for seed in range(1, SEEDS + 1)]
        trials = [Trial(Path(place, "trials", spec.name), spec, command) for spec in specs]
        startups = []
        for trial, result in LocalEngine(1).run(trials):
            if result.status != "done":
                raise RuntimeError(f"{line}, seed {trial.spec.seed}: {result.status}, {result.reason}")
            curve = read_curve(trial.folder)
            curves.append(curve)
            startups.append(result.seconds - float(curve.seconds[-1]))
    at = equal_arms.kept_steps(len(curves[0]))
    seconds = np.stack([np.interp(at, curve.steps, curve.seconds) for curve in curves])
    return Stored(np.stack([curve.loss for curve in curves]), seconds, float(np.median(startups)), plateau)


def simulate(programs: dict[str, Stored], races: int) -> dict[str, dict[str, int]]:
    """Return how many of the races between equal arms call one proven, by setting and program.

    Args:
        programs: Their curves.
        races: How many, of each program in each setting.
    """
    found: dict[str, dict[str, int]] = {}
    for name, setting in SETTINGS.items():
        random = np.random.default_rng(0)
        found[name] = {line: sum(proven(of, setting, random) for _ in range(races)) for line, of in programs.items()}
    return found


def table(found: dict[str, dict[str, int]], races: int) -> str:
    """Return the shares as Markdown, with Wilson's 95 % interval of those over all programs."""
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for line in next(iter(found.values())):
        lines.append(f"| {line} | " + " | ".join(f"{100 * of[line] / races:.1f} %" for of in found.values()) + " |")
    shares = []
    for of in found.values():
        low, high = wilson(sum(of.values()), races * len(of))
        shares.append(f"{100 * sum(of.values()) / races / len(of):.1f} % ({100 * low:.1f} to {100 * high:.1f})")
    return "\n".join([*lines, "| all | " + " | ".join(shares) + " |"])


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212."""
    z, share = 1.959964, hits / count
    middle, spread = share + z**2 / (2 * count), z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return (middle - spread) / (1 + z**2 / count), (middle + spread) / (1 + z**2 / count)


def main() -> None:
    """Record or race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="run the programs anew, and keep their curves")
    parser.add_argument("--only", default="", help="regular expression on the program")
    parser.add_argument("--races", type=int, default=200, help="of each program in each setting (default 200)")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results", help="folder of the results")
    options = parser.parse_args()
    stored = equal_arms.load() if equal_arms.FILE.is_file() else {}
    chosen = [line for line in PROGRAMS if re.search(options.only, line)]
    if options.record:
        os.environ["OMP_NUM_THREADS"] = "1"
        for line in chosen:
            stored[line] = record(line, PROGRAMS[line])
            equal_arms.save({name: stored[name] for name in PROGRAMS if name in stored})
            print(line, stored[line].steps, file=sys.stderr, flush=True)
        return
    found = simulate({line: stored[line] for line in chosen if line in stored}, options.races)
    print(table(found, options.races))
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"equal-arms-{datetime.now(timezone.utc):%Y-%m-%d}.json"
    result = {"machine": machine(), "races": options.races, "proven": found}
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
