"""The pulse: what is noted at every step without waiting for the device, and written about twice a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unstuck.attach.beat import losses_in
from unstuck.attach.log import Log
from unstuck.record.jsonl import numbers

#: Seconds between two drains, so that a killed run loses less than a second.
_PERIOD = 0.4
#: Rows kept in memory at most, for programs of very short steps.
ROWS = 8192
#: Rows per optimizer that are written in full; beyond, several steps share a row (twice as many after each block).
_FULL_ROWS = 30_000


#: ``(step, time, losses, lr, norm, clipped, wait)``. Losses: see :class:`unstuck.attach.beat.Beat`; they, lr and
#: norms may still be on the device.
Row = tuple[Any, ...]
#: What a row holds when nothing of it is on the device and there was one backward call, or none.
_PLAIN = {float, type(None)}


class _Batch(NamedTuple):
    """Rows on their way to the host: with the stacked device scalars, and the event that says they have arrived."""

    rows: list[Row]
    plain: bool
    host: Tensor | None
    arrived: torch.cuda.Event | None


def _scalars(row: Row) -> list[Any]:
    """Return what of a row may be on the device: its losses, then learning rate, norm and clipped norm."""
    return [*losses_in(row[2]), row[3], row[4], row[5]]


def _are_plain(rows: list[Row]) -> bool:
    columns = list(zip(*rows, strict=True))
    return all(set(map(type, column)) <= _PLAIN for column in columns[2:6])


class Pulse:
    """Collects rows of one optimizer and hands them to the log.

    Args:
        log: Where the rows go.
        optimizer: Index of the optimizer.
        start: Clock reading at the start.
    """

    def __init__(self, log: Log, optimizer: int, start: float) -> None:
        self._log = log
        self._optimizer = optimizer
        self._start = start
        self.rows: list[Row] = []
        self._in_flight: _Batch | None = None
        self.due = start + _PERIOD
        self._written = 0

    @property
    def waiting(self) -> bool:
        """Whether there are rows that are not written yet."""
        return bool(self.rows) or self._in_flight is not None

    def drain(self, now: float, last: bool = False) -> None:
        """Start moving the waiting rows to the host, and write those that have arrived.

        Args:
            now: Clock reading.
            last: Whether to wait for everything: no drain follows.
        """
        self.due = now + _PERIOD
        rows, self.rows = self.rows, []
        previous, self._in_flight = self._in_flight, self._fetch(rows)
        if previous is not None:
            self._write(previous)
        if last or self._in_flight is None or self._in_flight.arrived is None:
            current, self._in_flight = self._in_flight, None
            if current is not None:
                self._write(current)

    def _fetch(self, rows: list[Row]) -> _Batch | None:
        """Stack all device scalars of ``rows`` into one tensor and start its copy to the host."""
        if not rows:
            return None
        if _are_plain(rows):
            return _Batch(rows, True, None, None)
        scalars = [value for row in rows for value in _scalars(row) if isinstance(value, Tensor)]
        if not scalars:
            return _Batch(rows, False, None, None)
        device = scalars[0].device
        with torch.no_grad():
            flat = [s if s.dim() == 0 else s.sum() for s in scalars]
            stacked = torch.stack([s.float() if s.device == device else s.to(device).float() for s in flat])
            host = stacked.to("cpu", non_blocking=True)
            arrived = torch.cuda.Event() if device.type == "cuda" else None
            if arrived is not None:
                arrived.record()
        return _Batch(rows, False, host, arrived)

    def _write(self, batch: _Batch) -> None:
        if batch.arrived is not None:
            batch.arrived.synchronize()
        values = iter(batch.host.tolist() if batch.host is not None else ())
        rows = batch.rows if batch.plain else [_on_host(row, values) for row in batch.rows]
        columns = [list(column) for column in zip(*rows, strict=True)]
        every = 2 ** max(0, (self._written - _FULL_ROWS) // _FULL_ROWS + 1) if self._written >= _FULL_ROWS else 1
        if every > 1:
            columns = thinned(columns, every)
        self._written += len(columns[0])
        step, time, loss, lr, norm, clipped, wait = columns
        start = self._start
        texts = {
            "step": numbers(step, "%d"),
            "time": numbers([t - start for t in time], "%.4f"),
            "loss": numbers(loss),
            "lr": numbers(lr),
            "grad_norm": numbers(norm),
            "clipped_norm": numbers(clipped),
            "wait": numbers(wait),
        }
        self._log.write_columns("pulse", texts, optimizer=self._optimizer)


def _on_host(row: Row, values: Iterator[float]) -> Row:
    """Return a row with numbers in the place of its device scalars, and with the sum of its losses."""
    step, time, losses, _, _, _, wait = row
    *parts, lr, norm, clipped = (next(values) if isinstance(v, Tensor) else v for v in _scalars(row))
    if isinstance(norm, float) and isinstance(clipped, float) and math.isfinite(norm):
        clipped = min(norm, clipped)
    return step, time, None if losses is None else sum(parts), lr, norm, clipped, wait


def thinned(columns: list[list[Any]], every: int) -> list[list[Any]]:
    """Let each ``every`` rows share one: the mean of what was seen, the last step, time and rate, the sum of waits.

    A value that is not finite is kept as it is: it must not be averaged away, nor spoil what is no longer there.

    Args:
        columns: ``[step, time, loss, lr, norm, clipped, wait]``.
        every: Rows per new row.

    Returns:
        Columns of a length divided by ``every``, rounded up.
    """
    step, time, loss, lr, norm, clipped, wait = columns
    return [
        *(_lasts(column, every) for column in (step, time)),
        _means(loss, every),
        _lasts(lr, every),
        *(_means(column, every) for column in (norm, clipped)),
        [sum(part) for part in _parts(wait, every)],
    ]


def _parts(column: list[Any], every: int) -> list[list[Any]]:
    return [column[first : first + every] for first in range(0, len(column), every)]


def _lasts(column: list[Any], every: int) -> list[Any]:
    whole = column[every - 1 :: every]
    return whole if len(column) % every == 0 else [*whole, column[-1]]


def _means(column: list[Any], every: int) -> list[Any]:
    if None not in column:
        return [sum(part) / len(part) for part in _parts(column, every)]
    seen = [[v for v in part if v is not None] for part in _parts(column, every)]
    return [sum(part) / len(part) if part else None for part in seen]


def rate(value: Any) -> float | Tensor | None:
    """Return a learning rate as a row keeps it; a tensor, which a scheduler changes in place, is copied."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return float(value) if isinstance(value, (int, float)) else None


def clip_of(norm: Tensor, bound: float) -> tuple[float | Tensor, float]:
    """Return a gradient's norm before clipping and what clipping to ``bound`` leaves of it, as a row keeps them."""
    if norm.is_cpu and norm.dim() == 0:
        value = norm.item()
        return value, min(value, bound) if math.isfinite(value) else bound
    return norm.detach(), bound


def gradient_norm(parameters: list[Tensor]) -> Tensor | None:
    """Return the 2-norm of all gradients in this process as a device scalar, None where there is none.

    Args:
        parameters: Parameters of one optimizer.

    Returns:
        A 0-dimensional tensor.
    """
    grads = [p.grad for p in parameters if p.grad is not None]
    grads = [g.to_local() if hasattr(g, "to_local") else g for g in grads]
    grads = [g.coalesce().values() if g.layout == torch.sparse_coo else g for g in grads]
    if not grads:
        return None
    device = grads[0].device
    if any(g.device != device for g in grads):
        norms = [torch.linalg.vector_norm(g).to(device) for g in grads]
    else:
        norms = list(torch._foreach_norm(grads))
    norm: Tensor = torch.linalg.vector_norm(torch.stack([n.float() for n in norms]))
    return norm
