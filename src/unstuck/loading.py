"""``unstuck.load``: a recorded run as plain Python, and as pandas frames where pandas is there."""

from __future__ import annotations

import dataclasses
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from unstuck.errors import UsageError
from unstuck.record.reader import Run, read_run
from unstuck.record.schema import PULSE_COLUMNS

if TYPE_CHECKING:
    import pandas

    from unstuck.difficulties.finding import Diagnosis, Finding, Verdict

#: Measurements that are dictionaries by layer, and what stands before their names in a layer's row.
_PER_LAYER = {"layers": "", "decay": "decay."}


class LoadedRun:
    """A run that was read from its folder.

    Attributes:
        run: The record.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def __repr__(self) -> str:
        return f"<unstuck run {self.run.path.name}: {self.run.steps} steps, {len(self.run.probes)} probes>"

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Verdict, findings and what was not measured, judged afresh from the record."""
        from unstuck.difficulties import diagnose

        return diagnose(self.run)

    @property
    def verdict(self) -> Verdict:
        """The run in one word and one sentence."""
        return self.diagnosis.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, most important first."""
        return self.diagnosis.findings

    @property
    def measurements(self) -> list[dict[str, Any]]:
        """What was measured: one dictionary per probe step, and one per layer of each.

        All have ``optimizer``, ``step``, ``time`` and ``layer``, which is None in those of whole steps. Nested names
        are joined by dots, as in ``sharpness.largest``.
        """
        rows = []
        for probe in self.run.probes:
            place = {"optimizer": probe.optimizer, "step": probe.step, "time": probe.time}
            about = {"cost": probe.cost, "replayed": bool(probe.replay.get("ok"))}
            whole = {name: value for name, value in probe.m.items() if name not in _PER_LAYER}
            rows.append({**place, "layer": None, **about, **_flat(whole)})
            for layer, values in _by_layer(probe.m).items():
                rows.append({**place, "layer": layer, **values})
        return rows

    def pulse_frame(self) -> pandas.DataFrame:
        """Return the steps: one row per step noted, ``optimizer`` and the columns of the pulse."""
        pulses = self.run.pulse
        columns: dict[str, list[Any]] = {"optimizer": [i for i, p in pulses.items() for _ in range(len(p))]}
        for name in PULSE_COLUMNS:
            columns[name] = [value for p in pulses.values() for value in getattr(p, name).tolist()]
        frame = _pandas().DataFrame(columns)
        return frame.astype({"optimizer": "int64", "step": "int64"})

    def probe_frame(self) -> pandas.DataFrame:
        """Return the probe steps: one row each, with the measurements of the whole step."""
        rows = [row for row in self.measurements if row["layer"] is None]
        return _frame(rows, ["optimizer", "step", "time", "cost", "replayed"]).drop(columns="layer", errors="ignore")

    def layer_frame(self) -> pandas.DataFrame:
        """Return the layers: one row per probe step and layer, in the order in which the layers run."""
        rows = [row for row in self.measurements if row["layer"] is not None]
        return _frame(rows, ["optimizer", "step", "time", "layer"])

    def findings_frame(self) -> pandas.DataFrame:
        """Return the findings: one row each, the most important first."""
        first = ["difficulty", "role", "confidence", "sentence", "file", "line", "layer", "parameter", "times_slower"]
        return _frame([_row(finding) for finding in self.findings], first)


def load(path: str | os.PathLike[str] = "latest") -> LoadedRun:
    """Read a run that ``unstuck run`` or :func:`unstuck.watch` recorded; it may still go on, or have been killed.

    Args:
        path: A run folder, its name below ``unstuck-runs``, the beginning or end of its name, or ``latest``.

    Returns:
        The run.

    Raises:
        UsageError: No run fits, several do, or a newer version of unstuck wrote it.
    """
    from unstuck.config import read_config
    from unstuck.record.folder import find

    return LoadedRun(read_run(find(os.fspath(path), read_config({}).dir)))


def _by_layer(m: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a probe measured of each layer, by the layer's name in the order in which they run."""
    rows: dict[str, dict[str, Any]] = {}
    for name, prefix in _PER_LAYER.items():
        for layer, values in (m.get(name) or {}).items():
            rows.setdefault(layer, {}).update(_flat(values, prefix))
    return rows


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, names joined by dots; lists stay values."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _row(finding: Finding) -> dict[str, Any]:
    values = {field.name: getattr(finding, field.name) for field in dataclasses.fields(finding)}
    where, cost = values.pop("where"), values.pop("cost")
    place = {"file": where.file, "line": where.line, "layer": where.layer, "parameter": where.parameter}
    price = {name: getattr(cost, name, None) for name in ("times_slower", "low", "high", "measured_by")}
    return {**values, **place, **price}


def _frame(rows: list[dict[str, Any]], first: list[str]) -> pandas.DataFrame:
    """Return rows as a frame that has the columns ``first`` even where there are no rows."""
    names = dict.fromkeys([*first, *(name for row in rows for name in row)])
    return _pandas().DataFrame(rows, columns=list(names))


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise UsageError("data frames need pandas, which is not installed: pip install 'unstuck[pandas]'") from None
    return pandas
