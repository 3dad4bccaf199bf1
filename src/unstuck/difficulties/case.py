"""A run as the difficulties see it: one optimizer, its course, its layers, its probes, with the questions they ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from unstuck.difficulties.course import Course, read_course
from unstuck.difficulties.figures import number
from unstuck.difficulties.finding import Where
from unstuck.record import LayerInfo, OptimizerInfo, Probe, Pulse, Run


@dataclass(frozen=True)
class Case:
    """One optimizer of a run.

    Attributes:
        run: The record.
        optimizer: Its optimizer.
        pulse: Its pulse.
        probes: Its probes.
    """

    run: Run
    optimizer: OptimizerInfo
    pulse: Pulse
    probes: list[Probe]

    @cached_property
    def course(self) -> Course | None:
        """How the loss went, None where too few losses were seen."""
        return read_course(self.pulse, self.probes)

    @property
    def learned(self) -> bool:
        """Whether the run got well away from a constant prediction; also where that cannot be told."""
        return self.course is None or self.adversarial or self.course.learned

    @cached_property
    def adversarial(self) -> bool:
        """Whether a loss of this run uses weights that another optimizer trains: then none need fall (a GAN)."""
        return any(others > 0 for others in self.values("parameters", "others", self.run.probes))

    @cached_property
    def run_between_steps(self) -> bool:
        """Whether the network runs without gradients between every two steps, as where it makes its own data.

        A block within a probe is not looked into, so a step may be missing.
        """
        used = sorted({number(e.get("step")) for e in self.run.events if e.get("name") == "evaluation"})
        return len(used) > 1 and all(b - a <= 2 for a, b in pairwise(used))

    @cached_property
    def multiplicity(self) -> int:
        """Number of optimizers that stepped."""
        return sum(len(p) > 0 for p in self.run.pulse.values())

    def values(self, measurement: str, key: str, probes: Iterable[Probe] | None = None) -> list[float]:
        """Return one number of a measurement over the probes that have it, in order; non-finite ones included.

        Args:
            measurement: Name of the measurement.
            key: Name of the number.
            probes: Which probes; all by default.

        Returns:
            The numbers.
        """
        found = [p.m[measurement].get(key) for p in (self.probes if probes is None else probes) if measurement in p.m]
        return [float(v) for v in found if v is not None]

    @cached_property
    def early(self) -> list[Probe]:
        """The probes of the first 4 % of the run (at least the first two)."""
        limit = 0.04 * (self.course.steps if self.course else 0)
        return [p for i, p in enumerate(self.probes) if i < 2 or p.step <= limit]

    @cached_property
    def late(self) -> list[Probe]:
        """The probes of the second half of the run, at least the last one."""
        half = 0.5 * (self.course.steps if self.course else 0)
        return [p for p in self.probes if p.step >= half] or self.probes[-1:]

    @cached_property
    def hidden(self) -> list[str]:
        """Names of the layers before the last that have weights of at least two dimensions, in forward order."""
        weighted = [layer for layer in self.layers if layer.kind != "norm" and len(layer.shape) > 1]
        return [layer.name for layer in weighted[:-1]]

    @cached_property
    def layers(self) -> list[LayerInfo]:
        """The layers that this optimizer trains."""
        return [layer for layer in self.run.layers if layer.optimizer in (None, self.optimizer.index)]

    def layer(self, name: str) -> LayerInfo | None:
        """Return a layer by its name."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def layer_values(self, name: str, key: str, probes: Iterable[Probe] | None = None) -> list[float]:
        """Return one number of a layer over the probes that have it."""
        chosen = self.probes if probes is None else probes
        found = [p.m["layers"].get(name, {}).get(key) for p in chosen if "layers" in p.m]
        return [float(v) for v in found if v is not None]

    def at_layer(self, name: str | None) -> Where:
        """Return the place of a layer, the optimizer's where there is none."""
        layer = self.layer(name) if name else None
        if layer is None or layer.file is None:
            return Where(layer=name, file=self.optimizer.file, line=self.optimizer.line)
        return Where(layer=name, file=layer.file, line=layer.line)

    @cached_property
    def at_optimizer(self) -> Where:
        """The line that made the optimizer, or else the one that called its step."""
        if self.optimizer.file is not None:
            return Where(file=self.optimizer.file, line=self.optimizer.line)
        return self.at_step

    @cached_property
    def at_step(self) -> Where:
        """The line that called the optimizer's step."""
        for event in self.run.events:
            if event.get("name") == "first_step" and event.get("optimizer") == self.optimizer.index:
                return Where(file=event["file"], line=event["line"])
        return Where(file=self.optimizer.file, line=self.optimizer.line)

    @cached_property
    def hyper(self) -> dict[str, Any]:
        """Hyper-parameters of the first parameter group at the start."""
        return self.optimizer.groups[0] if self.optimizer.groups else {}

    @cached_property
    def lr(self) -> float:
        """Largest learning rate of the first parameter group over the run."""
        rates = self.pulse.lr[np.isfinite(self.pulse.lr)]
        return float(rates.max()) if len(rates) else float(self.hyper.get("lr") or 0.0)

    def lr_at(self, step: int) -> float:
        """Return the learning rate at a step (it changes under a schedule), NaN where it was not seen."""
        place = int(np.searchsorted(self.pulse.step, step))
        return float(self.pulse.lr[min(place, len(self.pulse.lr) - 1)]) if len(self.pulse.lr) else float("nan")

    @cached_property
    def path(self) -> float:
        """Length of the way that the weights went, as a multiple of their own norm: median update ratio times steps."""
        steps = self.course.steps if self.course else 0
        return median(self.values("norms", "update_ratio")) * steps

    @cached_property
    def full_batch(self) -> bool:
        """Whether every probe saw the same inputs: then the loss has no noise from batches."""
        sums = self.values("inputs", "sum")
        return len(sums) > 2 and max(sums) - min(sums) <= 1e-9 * max(1.0, abs(sums[0]))


def median(values: Iterable[float | None]) -> float:
    """Return the median of the finite values, NaN where there is none."""
    finite = [v for v in values if v is not None and np.isfinite(v)]
    return float(np.median(finite)) if finite else float("nan")


def share(flags: Iterable[bool]) -> float:
    """Return the share of true flags, 0 where there is none."""
    listed = list(flags)
    return sum(listed) / len(listed) if listed else 0.0
