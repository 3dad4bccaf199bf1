"""How much sooner trials end on two slots than on one, on this machine and on a Ray cluster of two cores.

    python -m benchmarks.engines [--trials 16] [--program "sigmoid_mse"] [--rounds 1]

The trials are those of one program of ``tests/programs`` on as many seeds, each on one thread. A way to run them is a
process of its own, in which the engine is made (``start``) and runs them all (``wall``). Every trial has to give the
same losses, bit for bit, in whichever way it was run. It needs two cores that nothing else uses.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
WAYS = ("local 1", "local 2", "ray 2")
#: Two slots shall be so many times faster than one.
LIMIT = 1.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=16, help="how many (default 16)")
    parser.add_argument("--program", default="sigmoid_mse", help="its name in tests/programs and its arguments")
    parser.add_argument("--steps", type=int, help="steps of a trial (default: all that the program takes)")
    parser.add_argument("--rounds", type=int, default=1, help="each runs every way once (default 1)")
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the results")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # what the process of one way is told
    options = parser.parse_args()
    if options.way:
        print(json.dumps(run(options.way, options.program, options.trials, options.steps)))
        return
    from benchmarks.overhead import machine

    result: dict[str, Any] = {"machine": machine(), "program": options.program, "trials": options.trials}
    result["samples"] = [sample(way, sys.argv[1:]) for _ in range(options.rounds) for way in WAYS]
    losses = [found.pop("losses") for found in result["samples"]]
    if any(found != losses[0] for found in losses):
        raise SystemExit(f"the trials did not give the same losses in every way: {losses}")
    print(table(result))
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"engines-{datetime.now(timezone.utc):%Y-%m-%d}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {os.path.relpath(path)}")


def sample(way: str, words: list[str]) -> dict[str, Any]:
    """Run all trials in one way, in a process of its own: Ray keeps threads and sockets until the end of its process.

    Args:
        way: The way.
        words: The command line.

    Raises:
        SystemExit: A trial was not done.
    """
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths}
    command = [sys.executable, "-m", "benchmarks.engines", *words, "--way", way]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {way:10}{found['wall']:8.2f} s", file=sys.stderr, flush=True)
    return found


def run(way: str, line: str, count: int, steps: int | None) -> dict[str, Any]:
    """Run all trials in one way.

    Args:
        way: An engine and its slots.
        line: The program's name and arguments.
        count: How many trials.
        steps: Steps of each; None for all.

    Returns:
        Seconds that the engine took to start, and the trials; seconds of each trial; hashes of their losses, by seed.

    Raises:
        SystemExit: A trial was not done.
    """
    from unstuck.trials.curve import read_curve
    from unstuck.trials.engines.engine import Engine
    from unstuck.trials.engines.local import LocalEngine
    from unstuck.trials.engines.ray import RayEngine
    from unstuck.trials.spec import Spec, Trial

    name, slots = way.split()
    stem, *arguments = line.split()
    command = (sys.executable, str(ROOT / "tests" / "programs" / f"{stem}.py"), *arguments, "--seed", "0")
    with tempfile.TemporaryDirectory() as place:
        specs = [Spec("baseline", seed=seed, steps=steps) for seed in range(1, count + 1)]
        trials = [Trial(Path(place, spec.name), spec, command) for spec in specs]
        began = perf_counter()
        engine: Engine = RayEngine(slots=int(slots)) if name == "ray" else LocalEngine(int(slots))
        started = perf_counter()
        results = {trial.spec.seed: result for trial, result in engine.run(trials)}
        ended = perf_counter()
        engine.close()
        failed = [result.reason for result in results.values() if result.status != "done"]
        if failed:
            raise SystemExit(f"{len(failed)} of {count} trials were not done: {failed[0]}")
        losses = [hashlib.sha256(read_curve(trial.folder).loss.tobytes()).hexdigest() for trial in trials]
    seconds = [results[spec.seed].seconds for spec in specs]
    return {"way": way, "start": started - began, "wall": ended - started, "seconds": seconds, "losses": losses}


def table(result: dict[str, Any]) -> str:
    """Return the times as a table; in front the first way, which the others are compared with."""
    walls = {way: [s["wall"] for s in result["samples"] if s["way"] == way] for way in WAYS}
    each = {
        way: statistics.median(x for s in result["samples"] if s["way"] == way for x in s["seconds"]) for way in WAYS
    }
    lines = [f"\n{result['trials']} trials of {result['program']}, the same losses in every way"]
    lines.append(f"{'':10}{'wall':>10}{'a trial':>10}{'faster':>9}{'limit':>8}")
    for way in WAYS:
        wall = statistics.median(walls[way])
        faster = "" if way == WAYS[0] else f"{statistics.median(walls[WAYS[0]]) / wall:9.2f}{LIMIT:8.2f}"
        lines.append(f"{way:10}{wall:8.1f} s{each[way]:8.2f} s{faster}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
