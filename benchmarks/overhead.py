"""What watching costs: wall time of the whole process, with ``unstuck run`` against without, in paired runs.

    python -m benchmarks.overhead [--seconds 60] [--rounds 2] [--only mnist_mlp] [--variant "no probes"]
        [--peers PYTHON]

Each round runs a program plain, watched, attached without probes, and then in reverse order, so that a machine that
gets faster or slower favours none. Everything counts: start of the launcher, import, hooks, probes, diagnosis and
reports. CPU time of the whole process tree stands beside wall time: it tells noise of other work on the machine from
cost. The program prints its last loss, which must be the same digit by digit in every run.

With ``--peers``, a Python that has torchmortem and Cockpit (peers.md says how to make it), those are run on the first
program with fewer steps, and their training loop is compared with the plain loop of as many steps.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
#: Programs with the number of steps that they are first timed with.
PROGRAMS = {"mnist_mlp": 4000, "digits_cnn": 1500, "transformer": 150}
#: Options of ``unstuck run``, None for the plain program.
VARIANTS: dict[str, list[str] | None] = {"plain": None, "watched": [], "no probes": ["--no-probes"]}
LIMITS = {"watched": 1.05, "no probes": 1.02}
PEERS = ("torchmortem", "cockpit")


@dataclass(frozen=True)
class Sample:
    """One run of one program.

    Attributes:
        variant: How it was run.
        wall: Seconds from the start of the process to its end.
        cpu: Processor seconds of it and its children.
        loop: Seconds of the training loop, as the program says.
        loss: Its last loss, as printed.
        record: What unstuck says of its own cost; empty for others.
    """

    variant: str
    wall: float
    cpu: float
    loop: float
    loss: str
    record: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="a plain run takes at least so long (default 60)")
    parser.add_argument("--rounds", type=int, default=2, help="each gives two pairs (default 2)")
    parser.add_argument("--only", choices=sorted(PROGRAMS), help="one program instead of all")
    parser.add_argument("--variant", choices=sorted(VARIANTS.keys() - {"plain"}), help="one way to attach, not all")
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has the peers; see benchmarks/peers.md")
    parser.add_argument("--peer-steps", type=int, default=8000, help="steps of the comparison with the peers")
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the results")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "programs": {}}
    variants = ["plain", options.variant] if options.variant else list(VARIANTS)
    with tempfile.TemporaryDirectory() as place:
        for name in [options.only] if options.only else PROGRAMS:
            result["programs"][name] = measure(name, variants, options.seconds, options.rounds, Path(place))
            print(table(name, result["programs"][name]), flush=True)
        if options.peers:
            result["peers"] = peers(options.peers, options.peer_steps, options.rounds, Path(place))
            print(peer_table(result["peers"]), flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"overhead-{datetime.now(timezone.utc):%Y-%m-%d}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {os.path.relpath(path)}")


def measure(name: str, variants: list[str], seconds: float, rounds: int, place: Path) -> dict[str, Any]:
    """Run one program plain and in other variants.

    Args:
        name: Its name.
        variants: The keys of ``VARIANTS`` to run it in, the plain one first.
        seconds: At least so long the plain program shall take.
        rounds: Rounds of two runs of every variant.
        place: Folder for what the runs leave.

    Returns:
        Steps, every sample in order, and the comparison of each variant with the plain program.

    Raises:
        SystemExit: A watched program did not compute what the plain one does.
    """
    first = min(run(name, PROGRAMS[name], "plain", place).loop for _ in range(2))
    steps = int(PROGRAMS[name] * 1.1 * seconds / first)
    samples = []
    for _ in range(rounds):
        for variant in [*variants, *reversed(variants)]:
            samples.append(run(name, steps, variant, place))
            print(f"  {name:12}{variant:11}{samples[-1].wall:8.2f} s", file=sys.stderr, flush=True)
    if len({sample.loss for sample in samples}) > 1:
        raise SystemExit(f"{name} ended with different losses: {[(s.variant, s.loss) for s in samples]}")
    compared = {variant: compare(samples, variant) for variant in variants if variant != "plain"}
    return {"steps": steps, "samples": [asdict(s) for s in samples], "compared": compared}


def compare(samples: list[Sample], variant: str, of: str = "wall") -> dict[str, Any]:
    """Return the ratio of a variant to the plain program over the pairs, and what unstuck says it was."""
    plain = [s for s in samples if s.variant == "plain"]
    other = [s for s in samples if s.variant == variant]
    walls = [getattr(b, of) / getattr(a, of) for a, b in zip(plain, other, strict=True)]
    cpus = [b.cpu / a.cpu for a, b in zip(plain, other, strict=True)]
    said = [1 + s.record["fraction"] for s in other if s.record]
    return {
        "ratio": statistics.median(walls),
        "ratios": walls,
        "cpu_ratio": statistics.median(cpus),
        "cpu_ratios": cpus,
        "said": statistics.median(said) if said else None,
        "around": statistics.median([s.record["around"] for s in other if s.record]) if said else None,
    }


def run(name: str, steps: int, variant: str, place: Path, python: str = sys.executable) -> Sample:
    """Run a program once.

    Args:
        name: The program.
        steps: Its steps.
        variant: A key of ``VARIANTS``, or another word for a program that is run as it is.
        place: Folder for what the run leaves.
        python: The interpreter.

    Returns:
        The sample.

    Raises:
        SystemExit: The program failed.
    """
    command = [python, str(HERE / "programs" / f"{name}.py"), "--steps", str(steps)]
    options = VARIANTS.get(variant)
    folder = Path(tempfile.mkdtemp(dir=place))
    if options is not None:
        command = [python, "-m", "unstuck", "run", *options, "--dir", str(folder), "--", *command]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths}
    output, errors = folder / "output.txt", folder / "errors.txt"
    with output.open("wb") as out, errors.open("wb") as err:
        began = perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    said = re.search(r"([\d.]+) s   loss (\S+)", output.read_text())
    if process.returncode or said is None:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read_text()[-2000:]}")
    record = record_of(folder, wall) if options is not None else {}
    return Sample(variant, wall, usage.ru_utime + usage.ru_stime, float(said[1]), said[2], record)


def record_of(folder: Path, wall: float) -> dict[str, Any]:
    """Return what the record says of its own cost; ``around`` is the time before and after the program."""
    report = json.loads(next(folder.glob("*/report.json")).read_text())
    manifest = json.loads(next(folder.glob("*/manifest.json")).read_text())
    probes = sum('"kind":"probe"' in line for line in next(folder.glob("*/rank0.jsonl")).open())
    return {**report["overhead"], "probes": probes, "around": wall - manifest["seconds"]}


def peers(python: str, steps: int, rounds: int, place: Path) -> dict[str, Any]:
    """Compare the training loop of the first program under each peer with the plain one of as many steps."""
    first = next(iter(PROGRAMS))
    samples = []
    for _ in range(rounds):
        for peer in ("plain", *PEERS, *reversed(PEERS), "plain"):
            name = first if peer == "plain" else f"{first}_{peer}"
            samples.append(run(name, steps, peer, place, python))
    packages = ["torch", "torchmortem", "cockpit-for-pytorch"]
    code = f"from importlib.metadata import version; print(*map(version, {packages}))"
    versions = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return {
        "steps": steps,
        "versions": dict(zip(("torch", *PEERS), versions, strict=True)),
        "samples": [asdict(s) for s in samples],
        "compared": {peer: compare(samples, peer, of="loop") for peer in PEERS},
    }


def table(name: str, result: dict[str, Any]) -> str:
    plain = [s for s in result["samples"] if s["variant"] == "plain"]
    wall = statistics.median(s["wall"] for s in plain)
    pace = statistics.median(s["loop"] for s in plain) / result["steps"]
    lines = [f"\n{name}: {result['steps']} steps of {1e3 * pace:.2f} ms, plain {wall:.1f} s (median of {len(plain)})"]
    lines.append(f"{'':12}{'ratio':>8}{'least':>8}{'most':>8}{'limit':>8}{'CPU':>8}{'said':>8}{'around':>9}")
    for variant, found in result["compared"].items():
        numbers = (found["ratio"], min(found["ratios"]), max(found["ratios"]), LIMITS[variant], found["cpu_ratio"])
        said = f"{found['said']:8.3f}{found['around']:7.2f} s"
        lines.append(f"{variant:12}" + "".join(f"{number:8.3f}" for number in numbers) + said)
    return "\n".join(lines)


def peer_table(result: dict[str, Any]) -> str:
    lines = [f"\npeers on {next(iter(PROGRAMS))}, training loop of {result['steps']} steps"]
    lines.append(f"{'':12}{'ratio':>8}{'least':>8}{'most':>8}   version")
    for peer, found in result["compared"].items():
        numbers = (found["ratio"], min(found["ratios"]), max(found["ratios"]))
        lines.append(f"{peer:12}" + "".join(f"{n:8.2f}" for n in numbers) + f"   {result['versions'][peer]}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    import torch

    sys.path.insert(0, str(ROOT / "src"))
    import unstuck

    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "threads": 1,
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "unstuck": unstuck.__version__,
    }


if __name__ == "__main__":
    main()
