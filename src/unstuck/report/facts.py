"""What a run was: command, length, versions; read from its folder, whatever of it was written."""

from __future__ import annotations

import math
import shlex
from typing import Any

import numpy as np

from unstuck.record import OptimizerInfo, Run
from unstuck.report.words import count


def command(run: Run) -> str:
    """Return the command line of the run as one would type it, or an empty text where it is not known."""
    value = run.manifest.get("command", "")
    return shlex.join(str(part) for part in value) if isinstance(value, list) else str(value)


def program(run: Run) -> str:
    """Return the name of the program: as the manifest has it, else the folder's name."""
    return str(run.manifest.get("program") or run.path.name)


def seconds(run: Run) -> float:
    """Return the length of the run in seconds: to its end, else to the last thing seen; NaN where nothing was."""
    for value in ((run.end or {}).get("time"), run.manifest.get("seconds")):
        if isinstance(value, (int, float)):
            return float(value)
    pulses = [float(np.nanmax(p.time)) for p in run.pulse.values() if len(p) and np.isfinite(p.time).any()]
    return max([*pulses, *(float(p.time) for p in run.probes)], default=math.nan)


def ending(run: Run) -> str:
    """Return how the run ended, in words."""
    code, signal = run.manifest.get("exit_code"), run.manifest.get("signal")
    if signal:
        return f"killed by {signal}"
    exception = (run.end or {}).get("exception")
    if exception or (run.end or {}).get("reason") == "exception":
        return f"by an exception: {exception or 'unknown'}"
    if run.end is None and code is None:
        return "no end was recorded: it was killed, or it is still running"
    return f"by itself, exit code {code}" if code else "by itself"


def versions(run: Run) -> dict[str, str]:
    """Return the versions of what ran, by name."""
    found = {name: run.manifest.get(name) for name in ("unstuck", "python")}
    found["torch"] = run.start.get("torch")
    return {name: str(value) for name, value in found.items() if value}


def hardware(run: Run) -> str:
    """Return what the run ran on: device, processor, system, as far as it is known."""
    processor = (run.manifest.get("cpu") or {}).get("model")
    return ", ".join(str(part) for part in (run.start.get("device"), processor, run.manifest.get("platform")) if part)


def optimizers(run: Run) -> list[str]:
    """Return each optimizer in a line: class, learning rate, size, and where it was made."""
    return [_optimizer(info) for info in run.optimizers]


def _optimizer(info: OptimizerInfo) -> str:
    place = f", made at {info.file}:{info.line}" if info.file else ""
    return f"{info.name}{_rate(info.groups)}, {count(info.elements)} parameters{place}"


def _rate(groups: list[dict[str, Any]]) -> str:
    rates = [group.get("lr") for group in groups]
    return f" lr {rates[0]:g}" if rates and isinstance(rates[0], (int, float)) else ""
