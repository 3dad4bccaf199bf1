"""How often ``unstuck fix`` proves a remedy on programs with a known fault, and how seldom on sound ones.

    python -m benchmarks.fixes [--only REGEX] [--kinds planted,tuned] [--share I/N] [--keep DIR] [--write FILE]

Each planted program of the catalogue is given to ``unstuck fix``. It counts as proven where a remedy is, and as fixed
where a proven arm ends, on fresh seeds, where the program without the fault does on the same seeds: within a tenth of
the way from the faulty program's end (where it is lost, from the beginning) to there, or within the scatter of its
seeds. Arms that change what the loss means are compared by the error of the outputs, as in the race. On a tuned program
(``benchmarks.tuned``) nothing should be proven; on the catalogue's sound ones (``--kinds healthy``), which nobody has
tuned, much may be.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tuned.tasks import TASKS  # noqa: E402
from tests.programs.catalogue import HEALTHY, PLANTED, Program  # noqa: E402
from unstuck.trials.curve import Curve, read_curve  # noqa: E402
from unstuck.trials.engines.local import LocalEngine  # noqa: E402
from unstuck.trials.smoothing import smooth  # noqa: E402
from unstuck.trials.spec import Spec, Trial  # noqa: E402
from unstuck.trials.table_file import read_table  # noqa: E402

TIMEOUT = 1800
_TUNED = ROOT / "benchmarks" / "tuned" / "program.py"
#: Share of the way to the twin's end that may be left.
_REST = 0.1


@dataclass(frozen=True)
class Fixed:
    """What came of one program.

    Attributes:
        program: The program.
        verdict: First cause, or the verdict's state where none was named.
        remedy: The proven remedies, the best first; empty where none is.
        effect: The best one's speed-up with the interval; or why nothing was proven.
        fixed: Whether it ends where the twin does; None where that cannot be told.
        seconds: What the trials took, all together.
    """

    program: Program
    verdict: str
    remedy: str
    effect: str
    fixed: bool | None
    seconds: float


def fix(program: Program, twin: Program | None, place: Path) -> Fixed:
    """Fix one program as a user would.

    Args:
        program: The program.
        twin: The same without its fault, None for a healthy one.
        place: Empty folder for what the runs leave.

    Returns:
        What came of it.
    """
    _unstuck(["fix", "--quiet", "--dir", str(place / "fix")], program)
    reports = list((place / "fix").glob("*/report.json"))
    if not reports:
        return Fixed(program, "no report", "", "", None, 0.0)
    report: dict[str, Any] = json.loads(reports[0].read_text())
    causes = [finding["difficulty"] for finding in report["findings"] if finding["role"] == "cause"]
    verdict = causes[0] if causes else report["verdict"]["state"]
    trials = reports[0].parent / "trials"
    table = read_table(trials) or {"trials": [], "arms": []}
    seconds = sum(float(trial["seconds"]) for trial in table["trials"])
    proven = [arm for arm in report["trials"] if arm["proven"]]
    if not proven:
        why = "; ".join(dict.fromkeys(arm["reason"] for arm in report["trials"][:2])) or "nothing to try"
        return Fixed(program, verdict, "", why, False if twin else None, seconds)
    speed = proven[0]["speedup_steps"] or proven[0]["speedup_time"]
    effect = f"{speed['times']:.3g} ({speed['low']:.3g} to {speed['high']:.3g})"
    reached = None
    if twin is not None:
        seeds = table["settings"]["seeds"]
        twins = _twins(twin, place / "twin", seeds)
        rows = {row["label"]: row for row in table["arms"] if row["proven"]}
        arms = {label: _curves(trials, row["name"], seeds) for label, row in rows.items()}
        reached = any(_reaches(rows[label], curves, twins) for label, curves in arms.items())
    return Fixed(program, verdict, "; ".join(arm["remedy"] for arm in proven), effect, reached, seconds)


def _reaches(row: dict[str, Any], arms: list[Curve], twins: list[Curve]) -> bool:
    """Return whether an arm ends where the twin is after as many steps."""
    measure, window = row["measure"], row["objective"]["window"]
    ends = [
        (smoothed.values[-1], smoothed.steps[-1]) for c in arms if len((smoothed := smooth(c, window, measure)).steps)
    ]
    last = np.median([step for _, step in ends])
    there = [smooth(curve, window, measure).until(steps=last) for curve in twins if len(curve.of(measure)[0])]
    if not ends or not there:
        return False
    twin, faulty = float(np.median(there)), float(row["objective"]["end"])
    if not np.isfinite(faulty):  # it is lost: as good as not begun
        faulty = float(np.median([curve.of(measure)[2][0] for curve in twins if len(curve.of(measure)[0])]))
    rest = max(_REST * abs(faulty - twin), float(np.std(there)))
    return bool(np.median([level for level, _ in ends]) <= twin + rest)


def _curves(trials: Path, arm: str, seeds: list[int]) -> list[Curve]:
    return [read_curve(folder) for seed in seeds for folder in trials.glob(f"{arm}-s{seed}-n*")]


def _twins(twin: Program, folder: Path, seeds: list[int]) -> list[Curve]:
    """Run the program without the fault on the same seeds."""
    command = [sys.executable, str(twin.path), *twin.args, "--seed", "0"]
    specs = [Spec("twin", seed=seed, score=True, seconds=600.0) for seed in seeds]
    trials = [Trial(folder / spec.name, spec, command) for spec in specs]
    os.environ.update(_threads())
    for _ in LocalEngine().run(trials):
        pass
    return [read_curve(trial.folder) for trial in trials]


def _threads() -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths}


def _unstuck(arguments: list[str], program: Program) -> None:
    command = [sys.executable, "-m", "unstuck", *arguments, "--", sys.executable]
    command += [str(program.path), *program.args, "--seed", "0"]
    environment = {**os.environ, **_threads()}
    subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False)


def table(results: list[Fixed]) -> str:
    """Return the results as Markdown."""
    lines = ["| program | verdict | proven | times sooner | as the twin | computing |", "|---|---|---|---|---|---|"]
    words = {True: "yes", False: "no", None: ""}
    for r in results:
        lines.append(
            f"| {r.program.name} | {r.verdict} | {r.remedy} | {r.effect} | {words[r.fixed]} | {r.seconds:.0f} s |"
        )
    planted = [r for r in results if r.program.kind == "planted"]
    sound = [r for r in results if r.program.kind == "healthy"]
    lines += [
        "",
        f"Planted: {sum(bool(r.remedy) for r in planted)} of {len(planted)} proven, "
        f"{sum(r.fixed is True for r in planted)} end as their twin. "
        f"Sound: {sum(bool(r.remedy) for r in sound)} of {len(sound)} with a proven remedy.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Fix the chosen programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression on the name")
    parser.add_argument("--kinds", default="planted,tuned", help="planted, tuned, healthy")
    parser.add_argument("--share", default="1/1", metavar="I/N", help="the I-th of every N programs only")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the run folders there")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there as well, after every program")
    options = parser.parse_args()
    tuned = [Program(f"tuned: {task}", str(_TUNED), (task,), "healthy") for task in TASKS]
    kinds: dict[str, list[tuple[Program, Program | None]]] = {
        "planted": list(PLANTED),
        "tuned": [(program, None) for program in tuned],
        "healthy": [(program, None) for program in HEALTHY],
    }
    pairs = [pair for kind in options.kinds.split(",") for pair in kinds[kind]]
    chosen = [pair for pair in pairs if re.search(options.only, pair[0].name)]
    share, shares = map(int, options.share.split("/"))
    results = []
    for program, twin in chosen[share - 1 :: shares]:
        with tempfile.TemporaryDirectory() as temporary:
            place = options.keep / re.sub(r"\W+", "-", program.name) if options.keep else Path(temporary)
            results.append(fix(program, twin, place))
        last = results[-1]
        print(program.name, last.verdict, last.remedy or "-", last.effect, last.fixed, file=sys.stderr, flush=True)
        if options.write:
            options.write.write_text(table(results) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
