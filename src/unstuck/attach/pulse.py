"""The pulse: what is noted at every step without waiting for the device, and written about twice a second."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unstuck.attach.log import Log

#: Seconds between two drains, so that a killed run loses less than a second.
_PERIOD = 0.4
#: Rows kept in memory at most, for programs of very short steps.
_ROWS = 8192
#: Rows per optimizer that are written in full; beyond, several steps share a row (twice as many after each block).
_FULL_ROWS = 30_000


#: ``(step, time, losses, lr, norm, clipped, wait)``; losses, lr and norms may still be on the device.
Row = tuple[Any, ...]


class _Batch(NamedTuple):
    """Rows on their way to the host: with the stacked device scalars, and the event that says they have arrived."""

    rows: list[Row]
    host: Tensor | None
    arrived: torch.cuda.Event | None


def _scalars(row: Row) -> list[Any]:
    """Return what of a row may be on the device: its losses, then learning rate, norm and clipped norm."""
    return [*row[2], row[3], row[4], row[5]]


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

    @property
    def full(self) -> bool:
        """Whether so many rows wait that they should be drained now."""
        return len(self.rows) >= _ROWS

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
        scalars = [value for row in rows for value in _scalars(row) if isinstance(value, Tensor)]
        if not scalars:
            return _Batch(rows, None, None)
        device = scalars[0].device
        with torch.no_grad():
            flat = [s if s.dim() == 0 else s.sum() for s in scalars]
            stacked = torch.stack([s.float() if s.device == device else s.to(device).float() for s in flat])
            host = stacked.to("cpu", non_blocking=True)
            arrived = torch.cuda.Event() if device.type == "cuda" else None
            if arrived is not None:
                arrived.record()
        return _Batch(rows, host, arrived)

    def _write(self, batch: _Batch) -> None:
        if batch.arrived is not None:
            batch.arrived.synchronize()
        values = iter(batch.host.tolist() if batch.host is not None else ())
        columns: list[list[Any]] = [[], [], [], [], [], [], []]
        for row in batch.rows:
            step, time, losses, _, _, _, wait = row
            *parts, lr, norm, clipped = (next(values) if isinstance(v, Tensor) else v for v in _scalars(row))
            loss = sum(parts) if losses else None
            if isinstance(norm, float) and isinstance(clipped, float) and math.isfinite(norm):
                clipped = min(norm, clipped)
            for column, value in zip(columns, (step, time, loss, lr, norm, clipped, wait), strict=True):
                column.append(value)
        every = 2 ** max(0, (self._written - _FULL_ROWS) // _FULL_ROWS + 1) if self._written >= _FULL_ROWS else 1
        if every > 1:
            columns = thinned(columns, every)
        self._written += len(columns[0])
        step, time, loss, lr, norm, clipped, wait = columns
        time = [round(t - self._start, 4) for t in time]
        wait = [round(w, 6) for w in wait]
        self._log.write(
            "pulse",
            optimizer=self._optimizer,
            step=step,
            time=time,
            loss=loss,
            lr=lr,
            grad_norm=norm,
            clipped_norm=clipped,
            wait=wait,
        )


def thinned(columns: list[list[Any]], every: int) -> list[list[Any]]:
    """Let each ``every`` rows share one: the mean of what was seen, the last step, time and rate, the sum of waits.

    A value that is not finite is kept as it is: it must not be averaged away, nor spoil what is no longer there.

    Args:
        columns: ``[step, time, loss, lr, norm, clipped, wait]``.
        every: Rows per new row.

    Returns:
        Columns of a length divided by ``every``, rounded up.
    """
    thin: list[list[Any]] = [[] for _ in columns]
    for first in range(0, len(columns[0]), every):
        parts = [column[first : first + every] for column in columns]
        for index, part in enumerate(parts):
            if index in (0, 1, 3):
                thin[index].append(part[-1])
            elif index == 6:
                thin[index].append(sum(part))
            else:
                seen = [v for v in part if v is not None]
                thin[index].append(sum(seen) / len(seen) if seen else None)
    return thin


def rate(value: Any) -> float | Tensor | None:
    """Return a learning rate as a row keeps it: a tensor that a scheduler changes in place is copied, not waited for."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return float(value) if isinstance(value, (int, float)) else None


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
    return torch.linalg.vector_norm(torch.stack([n.float() for n in norms]))

