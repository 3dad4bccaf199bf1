"""What a user can set about a watched run, and how it travels into the program: through ``UNSTUCK_*`` variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unstuck.errors import UsageError

#: Share of the run time, and seconds in any case, that probes may take where the user does not say.
BUDGET, FLOOR = 0.03, 1.5


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one watched run.

    Attributes:
        run_dir: Folder that the run is recorded in.
        budget: Share of the program's run time that probe steps may take (0.03 is 3 %).
        floor: Seconds that probe steps may take in any case, so that short runs are measured too.
        probes: Whether probe steps are taken at all; without them only the pulse is recorded.
        fault: Name of a measurement that is made to fail, for the tests of "never harm the run"; else empty.
        check: Whether the first steps are all probed, whatever that takes, and the program is ended after them.
        trial: Whether this is a trial, whose ``spec.json`` lies in ``run_dir``.
        printed: Whether the lines with numbers that the program prints are noted.
    """

    run_dir: Path
    budget: float = BUDGET
    floor: float = FLOOR
    probes: bool = True
    fault: str = ""
    check: bool = False
    trial: bool = False
    printed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.budget <= 1:
            raise UsageError(f"budget is a share of the run time from 0 to 1, such as 0.03; got {self.budget:g}")
        if not self.floor >= 0:
            raise UsageError(f"floor is a number of seconds, 0 or more; got {self.floor:g}")

    def to_environment(self) -> dict[str, str]:
        """Return the variables that carry these settings into the program (inverse of :meth:`from_environment`)."""
        return {
            "UNSTUCK_RUN_DIR": str(self.run_dir),
            "UNSTUCK_BUDGET": repr(self.budget),
            "UNSTUCK_FLOOR": repr(self.floor),
            "UNSTUCK_PROBES": "1" if self.probes else "0",
            "UNSTUCK_FAULT": self.fault,
            "UNSTUCK_CHECK": "1" if self.check else "0",
            "UNSTUCK_TRIAL": "1" if self.trial else "0",
            "UNSTUCK_PRINTED": "1" if self.printed else "0",
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings | None:
        """Return the settings in ``environment``, or None where no run was asked for.

        Raises:
            UsageError: A variable does not hold a number, or one out of range.
        """
        run_dir = environment.get("UNSTUCK_RUN_DIR")
        if not run_dir:
            return None
        return cls(
            Path(run_dir),
            _number(environment, "UNSTUCK_BUDGET", BUDGET),
            _number(environment, "UNSTUCK_FLOOR", FLOOR),
            environment.get("UNSTUCK_PROBES", "1") != "0",
            environment.get("UNSTUCK_FAULT", ""),
            environment.get("UNSTUCK_CHECK", "0") == "1",
            environment.get("UNSTUCK_TRIAL", "0") == "1",
            environment.get("UNSTUCK_PRINTED", "0") == "1",
        )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{name} is a number, such as 0.03; got {text!r}") from None
