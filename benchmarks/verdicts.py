"""How often the verdict is right: every program of the catalogue, over seeds, with one table at the end.

    python -m benchmarks.verdicts --seeds 0,1,2 --jobs 2 [--only REGEX] [--check] [--write FILE]

A planted program counts as found where its difficulty (or another name for the same cause, as the catalogue lists) is
the first cause; a repaired twin, a look-alike and a healthy program where nothing is accused. With ``--check`` the
programs are given to ``unstuck check``: then a planted one counts as found where a check fails, all others where none
does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.programs.catalogue import HEALTHY, LOOKALIKES, MISSED, PLANTED, Program  # noqa: E402

TIMEOUT = 300


@dataclass(frozen=True)
class Outcome:
    """What was said of one run: verdict state, causes and symptoms, in their order.

    Of a check: how the program ended, and the names of the checks that failed as causes.
    """

    program: Program
    seed: int
    state: str
    causes: tuple[str, ...]
    symptoms: tuple[str, ...]
    checked: bool = False

    @property
    def right(self) -> bool:
        """Whether the diagnosis is the expected one."""
        if self.program.kind == "planted" and self.checked:
            return bool(self.causes)
        if self.program.kind == "planted":
            return bool(self.causes) and self.causes[0] in (self.program.expect, *self.program.also)
        return not self.causes and self.state not in ("error",)


def judge(program: Program, seed: int, folder: Path) -> Outcome:
    """Watch one program as a user would, and return what the report says.

    Args:
        program: The program.
        seed: Its seed.
        folder: Run folder to make.

    Returns:
        The outcome; state ``error`` where there is no report.
    """
    _unstuck(["run", "--quiet", "--dir", str(folder)], program, seed)
    reports = list(folder.rglob("report.json"))
    if not reports:
        return Outcome(program, seed, "error", (), ())
    report: dict[str, Any] = json.loads(reports[0].read_text())
    by_role = defaultdict(list)
    for finding in report["findings"]:
        by_role[finding["role"]].append(finding["difficulty"])
    return Outcome(program, seed, report["verdict"]["state"], tuple(by_role["cause"]), tuple(by_role["symptom"]))


def judge_check(program: Program, seed: int, folder: Path) -> Outcome:
    """Check the first steps of one program as a user would.

    Args:
        program: The program.
        seed: Its seed.
        folder: Run folder to make.

    Returns:
        The outcome; state ``error`` where there is no answer.
    """
    said = _unstuck(["check", "--json", "--dir", str(folder)], program, seed)
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        return Outcome(program, seed, "error", (), (), checked=True)
    failed = tuple(check["name"] for check in answer["checks"] if check["status"] == "fail")
    return Outcome(program, seed, answer["run"]["ending"], failed, (), checked=True)


def _unstuck(arguments: list[str], program: Program, seed: int) -> str:
    command = [sys.executable, "-m", "unstuck", *arguments, "--", sys.executable]
    command += [str(program.path), *program.args, "--seed", str(seed)]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
    return done.stdout.decode(errors="replace")


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as Markdown: one line per difficulty and kind, then every miss."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.program.kind, outcome.program.expect].append(outcome)
    lines = ["| kind | difficulty | programs | runs | right |", "|---|---|---|---|---|"]
    for (kind, expect), group in sorted(groups.items()):
        programs = len({o.program.name for o in group})
        lines.append(f"| {kind} | {expect or '-'} | {programs} | {len(group)} | {sum(o.right for o in group)} |")
    missed = [o for o in outcomes if not o.right]
    lines += ["", f"{len(outcomes) - len(missed)} of {len(outcomes)} right. The others:", ""]
    said = "ending | failed checks" if outcomes and outcomes[0].checked else "verdict | causes"
    lines += [f"| program | seed | {said} | symptoms |", "|---|---|---|---|---|"] if missed else ["none"]
    for o in missed:
        lines.append(f"| {o.program.name} | {o.seed} | {o.state} | {', '.join(o.causes)} | {', '.join(o.symptoms)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the chosen programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="regular expression on kind and name")
    parser.add_argument("--check", action="store_true", help="judge by unstuck check instead of unstuck run")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there as well")
    options = parser.parse_args()
    programs = [*HEALTHY, *(p for pair in (*PLANTED, *MISSED) for p in pair), *LOOKALIKES]
    chosen = [p for p in programs if re.search(options.only, f"{p.kind} {p.name}")]
    seeds = [int(s) for s in options.seeds.split(",")]
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(options.jobs) as pool:
        tasks = [(p, s, Path(place) / f"{i}-{s}") for s in seeds for i, p in enumerate(chosen)]
        outcomes = []
        how = judge_check if options.check else judge
        for outcome in pool.map(lambda task: how(*task), tasks):
            outcomes.append(outcome)
            mark = "ok " if outcome.right else "BAD"
            print(mark, outcome.program.name, outcome.seed, outcome.state, *outcome.causes, file=sys.stderr, flush=True)
    text = table(outcomes)
    print(text)
    if options.write:
        options.write.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
