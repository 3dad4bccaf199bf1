"""One watched process: its hooks, its pulse, its probe rounds. Judges nothing and never harms the run.

On an ordinary step three small functions run: one at ``backward`` (keeps the loss), and one before and after the
optimizer's step (a row of the pulse). All else happens in probe rounds, see :mod:`unstuck.attach.capture`.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach import forensics
from unstuck.attach.budget import Budget
from unstuck.attach.capture import Capture, parameters_of
from unstuck.attach.modules import Modules, Owners
from unstuck.attach.probe import Prober
from unstuck.attach.pulse import Pulse, gradient_norm
from unstuck.attach.rules import hyper_parameters, number
from unstuck.attach.sources import user_line
from unstuck.attach.tape import Op
from unstuck.record.writer import Writer
from unstuck.settings import Settings

#: Share of the step time that gradient norms may take on ordinary steps.
_NORM_SHARE = 0.004
#: Seconds between two lines that say what unstuck has cost so far.
_OVERHEAD_PERIOD = 1.0


class Track:
    """What is kept about one optimizer: its pulse, its parameters' names, how deep its ``step`` is nested."""

    def __init__(self, optimizer: Optimizer, index: int, pulse: Pulse) -> None:
        self.optimizer = optimizer
        self.index = index
        self.pulse = pulse
        self.steps = 0
        self.depth = 0
        self.parameters: list[Tensor] = []
        self.names: list[str] = []
        self.owners: Owners = {}
        self.next_norm = 0
        self.last_time: float | None = None
        self.announced = False


class Session:
    """Watches the training of this process.

    Args:
        settings: What the user set.
        late: Whether the program may have made its modules already.
    """

    def __init__(self, settings: Settings, late: bool = False) -> None:
        self.settings = settings
        self.modules = Modules(scan=late)
        self.capture: Capture | None = None
        self.broken = False
        self._begin()

    def _begin(self) -> None:
        self.pid = os.getpid()
        self.start = perf_counter()
        self.writer: Writer | None = None
        self.rank = int(os.environ.get("RANK", "0") or 0)
        self.tracks: dict[int, Track] = {}
        self.budget = Budget(self.settings.budget, self.settings.floor, self.start)
        self.prober = Prober(self)
        self.losses: list[float | Tensor] = []
        self.clip: tuple[Any, Any] | None = None
        self.wait = 0.0
        self.unscaled: dict[int, Tensor] = {}
        self.scaler_updates = 0
        self.skipped_steps = 0
        self.last_ops: list[Op] = []
        self._closer: int | None = None
        self._last_stepped: Track | None = None
        self._last_losses: list[float | Tensor] = []
        self._bad_seen = False
        self._overhead_due = 0.0
        self._pulse_cost = 0.0
        self._errors = 0
        self._lock = threading.RLock()

    # ------------------------------------------------------------------ never harm the run

    def guarded(self, where: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function``; a fault of ours is written down, and the training goes on.

        Args:
            where: What was being done, for the record.
            function: What to call.
            *args: Its arguments.

        Returns:
            What it returned, None where it failed.
        """
        if self.broken:
            return None
        try:
            return function(*args)
        except Exception as error:
            self.fault(where, error)
            return None

    def fault(self, where: str, error: BaseException) -> None:
        """Write down a fault of ours; after ten of them, or one outside a measurement, only the pulse goes on."""
        self._errors += 1
        capture, self.capture = self.capture, None
        if capture is not None:
            capture.close()
        text = "".join(traceback.format_exception(error))
        try:
            step = max((t.steps for t in self.tracks.values()), default=0)
            self._write("error", where=where, step=step, error=f"{type(error).__name__}: {error}", traceback=text)
        except OSError:
            self.broken = True
        if self._errors >= 10:
            self.broken = True

    def _write(self, kind: str, **values: Any) -> None:
        if self.writer is None:
            self.writer = Writer(self.settings.run_dir, self.rank)
            cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
            self.writer.write(
                "start",
                pid=self.pid,
                rank=self.rank,
                world_size=int(os.environ.get("WORLD_SIZE", "1") or 1),
                torch=torch.__version__,
                device=torch.cuda.get_device_name() if cuda else "cpu",
                threads=torch.get_num_threads(),
                time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            )
        self.writer.write(kind, **values)

    def write(self, kind: str, **values: Any) -> None:
        """Append a record to this process's file."""
        self._write(kind, **values)

    # ------------------------------------------------------------------ what the hooks call

    def optimizer_made(self, optimizer: Optimizer) -> None:
        """Take in an optimizer, and start capturing the first step where nothing has stepped yet."""
        if os.getpid() != self.pid:
            self._forked()
        track = self._track(optimizer)
        line = user_line()
        self.write(
            "optimizer",
            optimizer=track.index,
            **{"class": type(optimizer).__name__},
            parameters=sum(len(g["params"]) for g in optimizer.param_groups),
            elements=sum(p.numel() for p in parameters_of(optimizer)),
            groups=[hyper_parameters(g) for g in optimizer.param_groups[:50]],
            file=line.file if line else None,
            line=line.line if line else None,
            step_file=None,
            step_line=None,
        )
        if all(t.steps == 0 for t in self.tracks.values()):
            if self.capture is not None:
                self.capture.waiting.add(id(optimizer))
            elif self.settings.probes and self.budget.wants(0, perf_counter()):
                self._open(0)

    def backward_starts(self, roots: list[Tensor]) -> None:
        """Note the loss that ``backward`` is called on."""
        if os.getpid() != self.pid:
            self._forked()
        for root in roots:
            loss = self.unscaled.pop(id(root), root) if self.unscaled else root
            if loss.device.type == "cpu" and loss.dim() == 0:
                value = loss.item()
                self.losses.append(value)
                if value - value != 0 and not self._bad_seen:
                    self._bad_seen = True
                    self.guarded("tracing a non-finite loss", self._trace_non_finite, root)
            else:
                self.losses.append(loss.detach())
        if self.capture is not None:
            self.guarded("capturing a backward call", self.capture.backward_starts, self._optimizers())

    def backward_ended(self, roots: list[Tensor], weights: list[Any]) -> None:
        """Note the gradients that ``backward`` left."""
        if self.capture is not None:
            step = sum(t.steps for t in self.tracks.values())
            self.guarded("capturing gradients", self.capture.backward_ended, self._optimizers(), roots, weights, step)

    def step_starts(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called before every step of every optimizer."""
        track = self.tracks.get(id(optimizer))
        if track is None or track.optimizer is not optimizer or os.getpid() != self.pid:
            self.guarded("taking in an optimizer", self._late_optimizer, optimizer)
            track = self.tracks.get(id(optimizer))
            if track is None:
                return
        if not track.announced:
            track.announced = True
            line = user_line()
            if line is not None:
                where = {"optimizer": track.index, "file": line.file, "line": line.line}
                self.guarded("the first step", lambda: self.write("event", name="first_step", step=0, **where))
        track.depth += 1
        if self.capture is not None and track.depth == 1:
            closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
            self.guarded("before a step", self.capture.step_starts, optimizer, closure is not None)

    def step_ended(self, optimizer: Optimizer) -> None:
        """Called after every step of every optimizer: the hot path."""
        now = perf_counter()
        track = self.tracks.get(id(optimizer))
        if track is None:
            return
        track.depth -= 1
        if track.depth > 0:
            return
        track.depth = 0
        step = track.steps
        track.steps = step + 1
        norm = clipped = None
        if self.clip is not None:
            norm, clipped = self.clip
            self.clip = None
        elif step >= track.next_norm:
            norm = self.guarded("the gradient norm", self._norm, track, now)
        group = optimizer.param_groups[0]
        lr = group.get("lr")
        if not self.losses and self._last_stepped is not track:
            self.losses = self._last_losses  # several optimizers step on one backward call
        self._last_stepped, self._last_losses = track, self.losses
        row = (step, now, self.losses, lr if type(lr) is float else _plain(lr), norm, clipped, self.wait)
        track.pulse.rows.append(row)
        track.last_time = now
        self.losses = []
        self.wait = 0.0
        if self.capture is not None:
            self.guarded("a probe step", self.prober.step_ended, track)
        elif (
            (step + 1 >= self.budget.next_step or now >= self.budget.next_time)
            and self.settings.probes
            and (self._closer is None or self._closer == id(optimizer))
            and not self.broken
            and self.budget.wants(step + 1, now)
        ):
            self._open(step + 1)
        if now >= track.pulse.due or track.pulse.full:
            self.guarded("writing the pulse", self._drain, track, now)

    def scaler_updated(self) -> None:
        """Note that a ``GradScaler`` was updated: an update without a step since the last one means a skipped step."""
        steps = sum(t.steps for t in self.tracks.values())
        if steps == self.scaler_updates:
            self.skipped_steps += 1
        self.scaler_updates = steps

    # ------------------------------------------------------------------ rounds

    def _open(self, step: int) -> None:
        started = perf_counter()
        capture = Capture(self._optimizers(), step)
        self.capture = capture
        self.guarded("starting a probe", capture.open)
        self.prober.opened(started)

    def close_round(self, last: Track) -> None:
        """Take the capture away; the optimizer that ended it is the one after whose steps rounds start from now on."""
        if self.capture is not None:
            self.capture.close()
            self.capture = None
        self._closer = id(last.optimizer)

    def _optimizers(self) -> list[Optimizer]:
        return [track.optimizer for track in self.tracks.values()]

    def optimizers(self) -> list[Optimizer]:
        """Return the optimizers that are known."""
        return self._optimizers()

    def name(self, track: Track) -> None:
        """Name the parameters of an optimizer, again whenever it was given others."""
        parameters = parameters_of(track.optimizer)
        if len(parameters) != len(track.parameters) or any(
            a is not b for a, b in zip(parameters, track.parameters, strict=True)
        ):
            track.parameters = parameters
            track.names, track.owners = self.modules.names_of(parameters)

    # ------------------------------------------------------------------ details

    def _track(self, optimizer: Optimizer) -> Track:
        track = self.tracks.get(id(optimizer))
        if track is None or track.optimizer is not optimizer:
            index = len(self.tracks)
            self._write_nothing_yet()
            assert self.writer is not None
            track = Track(optimizer, index, Pulse(self.writer, index, self.start))
            self.tracks[id(optimizer)] = track
        return track

    def _write_nothing_yet(self) -> None:
        """Make sure that the file exists before a pulse refers to it."""
        if self.writer is None:
            self._write("event", name="attached", step=0)

    def _late_optimizer(self, optimizer: Optimizer) -> None:
        """Take in an optimizer that was made before this session, or in the parent of a forked process."""
        if os.getpid() != self.pid:
            self._forked()
        if id(optimizer) not in self.tracks:
            self.optimizer_made(optimizer)

    def _forked(self) -> None:
        """Begin anew in a forked child, should it train: the parent's file stays the parent's."""
        capture, self.capture = self.capture, None
        if capture is not None:
            capture.close()
        self._begin()

    def _norm(self, track: Track, now: float) -> Tensor | None:
        """Take the gradient norm and set when the next one is due, so that norms stay within their share."""
        norm = gradient_norm(parameters_of(track.optimizer))
        cost = perf_counter() - now
        pace = (now - track.last_time) if track.last_time is not None else cost
        track.next_norm = track.steps + max(0, int(cost / (_NORM_SHARE * max(pace, 1e-7))))
        return norm

    def _drain(self, track: Track, now: float, last: bool = False) -> None:
        track.pulse.drain(now, last)
        after = perf_counter()
        self._pulse_cost += after - now
        if after >= self._overhead_due or last:
            self._overhead_due = after + _OVERHEAD_PERIOD
            elapsed = after - self.start
            steps = sum(t.steps for t in self.tracks.values())
            # What the hooks take on ordinary steps is too short to time step by step: it was measured as about 4 us.
            seconds = self.budget.spent + self._pulse_cost + 4e-6 * steps
            self._write("overhead", seconds=seconds, fraction=seconds / max(elapsed - seconds, 1e-9))

    def _trace_non_finite(self, root: Tensor) -> None:
        name = forensics.first_bad_operation(root)
        line = forensics.line_of_operation(name, self.last_ops) if name else None
        bad: list[str] = []
        for track in self.tracks.values():
            self.name(track)
            bad += forensics.non_finite(track.names, [p.detach() for p in track.parameters])
        total = sum(len(t.names) for t in self.tracks.values())
        value = root.detach().flatten()[0].item() if root.numel() else float("nan")
        self._write(
            "event",
            name="not_finite",
            step=max((t.steps for t in self.tracks.values()), default=0),
            value="nan" if value != value else "inf",
            operation=name,
            file=line.file if line else None,
            line=line.line if line else None,
            parameters=bad[:20],
            parameters_count=len(bad),
            parameters_total=total,
        )

    def finish(self, reason: str, exception: str | None = None) -> None:
        """Write what is still in memory and the last line."""
        if os.getpid() != self.pid:
            return
        if self.capture is not None:
            self.capture.close()
            self.capture = None
        if self.writer is None or not self.tracks:
            return
        now = perf_counter()
        for track in self.tracks.values():
            self.guarded("writing the pulse", self._drain, track, now, True)
        self.guarded(
            "ending",
            lambda: self._write(
                "end",
                reason=reason,
                exception=exception,
                steps=[t.steps for t in self.tracks.values()],
                time=now - self.start,
                unfinished_losses=len(self.losses),
                skipped_steps=self.skipped_steps,
            ),
        )


def _plain(value: Any) -> float | None:
    return None if value is None else number(value)
