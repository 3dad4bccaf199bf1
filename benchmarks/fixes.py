"""How often ``unstuck fix`` proves a remedy on programs with a known fault, and how seldom on sound ones.

    python -m benchmarks.fixes [--only REGEX] [--kinds planted,healthy] [--write FILE]

Each planted program of the catalogue is given to ``unstuck fix``, and its repaired twin is run as it is. A program
counts as proven where a remedy is, and as fixed where the proven arm ends, on the mean of its fresh seeds, where the
twin does: within a tenth of the way from the faulty program's end to the twin's. Arms that change what the loss means
are compared by errors, which the twin does not note, so that they count as proven only. A healthy program is right
where nothing is proven.
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

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.programs.catalogue import HEALTHY, PLANTED, Program  # noqa: E402

TIMEOUT = 1800
#: Share of the way to the twin's end that may be left.
_REST = 0.1


@dataclass(frozen=True)
class Fixed:
    """What came of one program.

    Attributes:
        program: The program.
        verdict: First cause, or the verdict's state where none was named.
        remedy: The proven remedy; empty where none is.
        effect: Its speed-up with the interval; or why nothing was proven.
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
    table: dict[str, Any] = (
        json.loads((reports[0].parent / "trials" / "table.json").read_text())
        if causes or report["trials"]
        else {"trials": [], "arms": []}
    )
    seconds = sum(float(trial["seconds"]) for trial in table["trials"])
    best = next((arm for arm in report["trials"] if arm["proven"]), None)
    if best is None:
        why = "; ".join(dict.fromkeys(arm["reason"] for arm in report["trials"][:2])) or "nothing to try"
        return Fixed(program, verdict, "", why, False if twin else None, seconds)
    speed = best["speedup_steps"] or best["speedup_time"]
    effect = f"{speed['times']:.3g} ({speed['low']:.3g} to {speed['high']:.3g})"
    row = next(arm for arm in table["arms"] if arm["label"] == best["remedy"])
    reached = None if twin is None or best["measure"] != "loss" else _reaches(row, _end(twin, place / "twin"))
    return Fixed(program, verdict, best["remedy"], effect, reached, seconds)


def _reaches(row: dict[str, Any], twin: float | None) -> bool | None:
    """Return whether an arm ends where the twin does, None where the twin has no loss."""
    if twin is None or row["final"] is None:
        return None
    faulty = float(row["objective"]["end"])
    arm = faulty + float(row["final"]["estimate"])
    return bool(arm <= twin + _REST * abs(faulty - twin))


def _end(program: Program, folder: Path) -> float | None:
    """Return the level at which a program ends, from one run of it."""
    from unstuck.difficulties.course import read_course
    from unstuck.record import read_run

    _unstuck(["run", "--quiet", "--no-probes", "--dir", str(folder)], program)
    runs = list(folder.glob("*/manifest.json"))
    run = read_run(runs[0].parent) if runs else None
    course = read_course(run.pulse[0], []) if run is not None and 0 in run.pulse else None
    return None if course is None else course.end


def _unstuck(arguments: list[str], program: Program) -> None:
    command = [sys.executable, "-m", "unstuck", *arguments, "--", sys.executable]
    command += [str(program.path), *program.args, "--seed", "0"]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths}
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
    healthy = [r for r in results if r.program.kind == "healthy"]
    lines += [
        "",
        f"Planted: {sum(bool(r.remedy) for r in planted)} of {len(planted)} proven, "
        f"{sum(r.fixed is True for r in planted)} end as their twin. "
        f"Healthy: {sum(bool(r.remedy) for r in healthy)} of {len(healthy)} with a proven remedy.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Fix the chosen programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression on the name")
    parser.add_argument("--kinds", default="planted,healthy")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there as well, after every program")
    options = parser.parse_args()
    pairs: list[tuple[Program, Program | None]] = [*PLANTED, *((program, None) for program in HEALTHY)]
    kinds = options.kinds.split(",")
    results = []
    for program, twin in pairs:
        if program.kind not in kinds or not re.search(options.only, program.name):
            continue
        with tempfile.TemporaryDirectory() as place:
            results.append(fix(program, twin, Path(place)))
        last = results[-1]
        print(program.name, last.verdict, last.remedy or "-", last.effect, last.fixed, file=sys.stderr, flush=True)
        if options.write:
            options.write.write_text(table(results) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
