"""One watched process: its pulse, its probe rounds, its faults. Judges nothing and never harms the run.

On an ordinary step nothing here runs: the hooks note it in a :class:`~unstuck.attach.beat.Beat`. Everything else,
such as a drain of the pulse or a probe round (:mod:`unstuck.attach.rounds`), begins with a step that is looked at.
"""

from __future__ import annotations

import os
import threading
import traceback
import weakref
from collections.abc import Callable
from time import perf_counter
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach import forensics
from unstuck.attach.beat import Beat, Loss, losses_in, with_another
from unstuck.attach.budget import Budget
from unstuck.attach.capture import Capture, parameters_of
from unstuck.attach.checking import CheckBudget, leave
from unstuck.attach.cost import Cost
from unstuck.attach.evaluations import Evaluations
from unstuck.attach.log import Log
from unstuck.attach.modules import Modules
from unstuck.attach.pulse import ROWS, Pulse, gradient_norm, rate
from unstuck.attach.rounds import Rounds
from unstuck.attach.rules import hyper_parameters
from unstuck.attach.sources import Line, user_line
from unstuck.attach.track import Track
from unstuck.settings import Settings

#: Share of the step time that gradient norms may take on ordinary steps.
_NORM_SHARE = 0.001
#: Seconds between two lines that say what unstuck has cost so far.
_OVERHEAD_PERIOD = 1.0
#: Faults of ours after which no more probes are taken, and none is written down any more.
_FAULTS = 10


#: All of this process. A fork marks them, because asking at every step which process this is would cost more.
_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _mark_child() -> None:
    for session in _sessions:
        session._in_child = True
        session.beat.off()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mark_child)


class Session:
    """Watches the training of this process.

    Args:
        settings: What the user set.
        late: Whether the program may have made its modules already.
        began: Clock reading that the run's time counts from, now where none is given.

    Attributes:
        beat: Ordinary steps that have not been looked at yet.
        evaluations: Looks into blocks without gradients.
        total: Steps that all optimizers have taken so far, as far as they have been looked at.
        watch_before_steps: Is told when :attr:`looks_before_steps` changes.
        mute: Whether nothing can be written any more.
    """

    def __init__(self, settings: Settings, late: bool = False, began: float | None = None) -> None:
        self.settings = settings
        self.modules = Modules(scan=late)
        self.beat = Beat()
        self.evaluations = Evaluations(self)
        self.hidden_graph = False
        self.watch_before_steps: Callable[[bool], None] = lambda on: None
        self._looks_before_steps = True
        self._begin(began)

    def _begin(self, began: float | None = None) -> None:
        self.pid = os.getpid()
        self._in_child = False
        _sessions.add(self)
        self.beat.reset()
        self.start = perf_counter() if began is None else began
        self.log = Log(self.settings.run_dir)
        self.tracks: list[Track] = []
        self.total = 0
        chosen = self.settings
        self.budget = CheckBudget(self.start) if chosen.check else Budget(chosen.budget, chosen.floor, self.start)
        self.cost = Cost(self.budget, self.start)
        self.rounds = Rounds(self)
        self.clip: tuple[Any, Any] | None = None
        self.unscaled: dict[int, Tensor] = {}
        self.lines: dict[str, set[Line]] = {}
        self._by_id: dict[int, Track] = {}
        self._scaler_total = 0
        self._skipped_steps = 0
        self._last_stepped: Track | None = None
        self._last_loss: Loss = None
        self._wait = 0.0
        self._bad_seen = False
        self._overhead_due = 0.0
        self._faults = 0
        self.mute = False
        self._nested = False
        self._threads: set[int] = set()
        self.looks_before_steps = True

    @property
    def looks_before_steps(self) -> bool:
        """Whether the hook before a step has something to do."""
        return self._looks_before_steps

    @looks_before_steps.setter
    def looks_before_steps(self, on: bool) -> None:
        self._looks_before_steps = on
        self.watch_before_steps(on)

    @property
    def many_threads(self) -> bool:
        """Whether steps were taken in more than one thread, as far as they were looked at."""
        return len(self._threads) > 1

    def steps_of(self, index: int) -> int:
        """Return the steps of an optimizer so far, looked at or not. Changes nothing: any thread may ask.

        Args:
            index: Its number in the record.
        """
        if index >= len(self.tracks):
            return 0
        track, beat = self.tracks[index], self.beat
        ordinary = len(beat.rows) + len(beat.numbers) // 3 if self._last_stepped is track else 0
        return track.steps + ordinary

    def is_number(self, optimizer: Optimizer, index: int) -> bool:
        """Return whether an optimizer has this number in the record."""
        return index < len(self.tracks) and self.tracks[index].reference() is optimizer

    @property
    def capture(self) -> Capture | None:
        """The capture of the probe round that is under way."""
        return self.rounds.capture

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
        if self.mute:
            return None
        try:
            return function(*args)
        except Exception as error:
            self.fault(where, error)
            return None

    def fault(self, where: str, error: BaseException, end_round: bool = True) -> None:
        """Write down a fault of ours; after ten of them only the pulse goes on.

        Args:
            where: What was being done.
            error: What was raised.
            end_round: Whether the probe round cannot go on.
        """
        self._faults += 1
        try:
            if end_round:
                self.rounds.end()
            if self._faults > _FAULTS:
                return
            step = max((t.steps for t in self.tracks), default=0)
            text = "".join(traceback.format_exception(error))
            self.write("error", where=where, step=step, error=f"{type(error).__name__}: {error}", traceback=text)
        except Exception:  # the disk is full or the folder is gone: there is nothing left to do, nor anyone to tell
            self.mute = True
            self.beat.off()

    @property
    def faulty(self) -> bool:
        """Whether so many faults have happened that no more probes are taken."""
        return self._faults >= _FAULTS

    def write(self, kind: str, **values: Any) -> None:
        """Append a record to this process's file."""
        self.log.write(kind, **values)

    # ------------------------------------------------------------------ what the hooks call

    def optimizer_made(self, optimizer: Optimizer, begin: bool = True) -> Track:
        """Take in an optimizer.

        Args:
            optimizer: One that is new.
            begin: Whether its first step is still to come: then it is captured, where nothing has stepped yet.

        Returns:
            What is kept about it.
        """
        if self._in_child:
            self._forked()
        self.settle()
        self.beat.off()
        track = Track(optimizer, len(self.tracks), Pulse(self.log, len(self.tracks), self.start), self.total)
        weakref.finalize(optimizer, self.beat.off).atexit = False  # another one may get its id
        self.tracks.append(track)
        self._by_id[id(optimizer)] = track
        self.looks_before_steps = True
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
        if begin and self.total == 0:
            self.rounds.optimizer_made(optimizer)
        return track

    def backward_starts(self, roots: list[Tensor]) -> None:
        """Note the loss that ``backward`` is called on."""
        if self.mute:
            return
        if self._in_child:
            self._forked()
        for root in roots:
            loss = self.unscaled.pop(id(root), root) if self.unscaled else root
            if loss.is_cpu and loss.dim() == 0:
                value = loss.item()
                self.beat.loss = with_another(self.beat.loss, value)
                if value - value != 0 and not self._bad_seen:
                    self._bad_seen = True
                    self.settle()
                    self.guarded("tracing a non-finite loss", self._trace_non_finite, root)
            else:
                self.beat.loss = with_another(self.beat.loss, loss.detach())
        if self.capture is not None and self.capture.mine:
            self.capture.backward_starts(self.optimizers())

    def backward_ended(self, roots: list[Tensor], weights: list[Any]) -> None:
        """Note the gradients that ``backward`` left."""
        if self.capture is not None and self.capture.mine:
            self.capture.backward_ended(self.optimizers(), roots, weights, self.total)

    def step_starts(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called before every step of an optimizer while ``looks_before_steps`` is set."""
        if self.mute:
            return
        if self._in_child:
            self._forked()
        self._threads.add(threading.get_ident())
        self.rounds.lift()
        track = self._by_id.get(id(optimizer))
        if track is None or track.reference() is not optimizer:
            # It was made before this session, or in the parent of a forked process.
            track = self.optimizer_made(optimizer, begin=False)
        if not track.announced:
            track.announced = True
            self._announce(track)
        track.depth += 1
        self._nested = self._nested or track.depth > 1
        if self.capture is not None and track.depth == 1 and self.capture.mine:
            closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
            self.capture.step_starts(optimizer, closure is not None)

    def step_ended(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called after every step of every optimizer that is not an ordinary one."""
        now = perf_counter()
        if self.mute:
            return
        if self._in_child:
            self._forked()
        self.settle()
        track = self._by_id.get(id(optimizer))
        if track is None or track.reference() is not optimizer:
            track = self.optimizer_made(optimizer, begin=False)  # a copy, or one of a forked child's parent
        track.depth -= 1
        if track.depth > 0:
            return
        track.depth = 0
        self._note_step(track, optimizer, now)
        due = now >= track.pulse.due or len(track.pulse.rows) >= ROWS
        if self.capture is not None:
            self.rounds.step_ended(track, optimizer)
        else:
            self.rounds.consider(track, track.steps, now)
        if self.settings.check:
            self._check_goes_on(track)
        elif due:
            self._drain(perf_counter())
        before = perf_counter()
        self._arm(track, optimizer)
        self.cost.note_hook(perf_counter() - before)

    def _check_goes_on(self, track: Track) -> None:
        """Keep what was seen, for the program may be ended from outside; then the next round, or the end."""
        now = perf_counter()
        self._drain(now, last=True)
        if self.capture is None and isinstance(self.budget, CheckBudget):
            if self.budget.is_over(now):
                leave(self)
            self.rounds.consider(track, track.steps, now)

    def _note_step(self, track: Track, optimizer: Optimizer, now: float) -> None:
        beat = self.beat
        step = track.steps
        track.steps = step + 1
        self.total += 1
        track.last_total = self.total
        norm = clipped = None
        if self.clip is not None:
            norm, clipped = self.clip
            self.clip = None
        elif now >= track.next_norm:
            norm = self.guarded("the gradient norm", self._norm, track, now)
        if beat.loss is None and self._last_stepped is not track:
            beat.loss = self._last_loss  # several optimizers step on one backward call
        self._last_stepped, self._last_loss = track, beat.loss
        lr = optimizer.param_groups[0].get("lr")
        rows = track.pulse.rows
        rows.append(
            (step, now, beat.loss, lr if type(lr) is float else rate(lr), norm, clipped, self._waited(beat.wait))
        )
        beat.loss = None

    def _waited(self, until: float) -> float:
        """Return the seconds of waiting for data since the last call, ``until`` being those so far."""
        since, self._wait = until - self._wait, until
        return since

    def settle(self) -> None:
        """Take in the ordinary steps since the last one that was looked at."""
        beat, track = self.beat, self._last_stepped
        if track is None or not (beat.numbers or beat.rows):
            return
        rows = beat.take()
        # What was waited for data since the last step that was looked at is noted with the next one.
        track.pulse.rows += [(step, *row, None, None, 0.0) for step, row in enumerate(rows, track.steps)]
        track.steps += len(rows)
        self.total += len(rows)
        track.last_total = self.total
        self._last_loss = rows[-1][1]

    def _arm(self, track: Track, optimizer: Optimizer) -> None:
        """Say until when steps of this optimizer are ordinary."""
        beat = self.beat
        if self.looks_before_steps or self.mute or self.clip is not None or self.unscaled or not self.rounds.idle:
            beat.off()
            return
        beat.wake = min(track.pulse.due, track.next_norm, self.rounds.due)
        beat.key = id(optimizer)

    def scaler_updated(self) -> None:
        """Note that a ``GradScaler`` was updated: an update without a step since the last one means a skipped step."""
        self.settle()
        self._skipped_steps += self.total == self._scaler_total
        self._scaler_total = self.total

    def optimizers(self) -> list[Optimizer]:
        """Return the optimizers of the training loop."""
        found = (track.optimizer for track in self.tracks if track.takes_part(self.total))
        return [optimizer for optimizer in found if optimizer is not None]

    # ------------------------------------------------------------------ details

    def _forked(self) -> None:
        """Begin anew in a forked child, should it train: the parent's file stays the parent's."""
        self.rounds.end()
        self._begin()

    def _announce(self, track: Track) -> None:
        """Note the line that calls an optimizer's ``step``."""
        line = user_line()
        if line is not None:
            self.write("event", name="first_step", step=0, optimizer=track.index, file=line.file, line=line.line)

    def _norm(self, track: Track, now: float) -> float | Tensor | None:
        """Take the gradient norm and set when the next one is due, so that norms stay within their share."""
        norm = gradient_norm(track.parameters)
        cost = perf_counter() - now
        self.budget.charge(cost)
        track.next_norm = now + cost / _NORM_SHARE
        return norm.item() if norm is not None and norm.is_cpu else norm

    def _drain(self, now: float, last: bool = False) -> None:
        """Write the pulses of all optimizers: one that has stopped stepping must not keep its last rows."""
        for track in self.tracks:
            if last or track.pulse.waiting:
                track.pulse.drain(now, last)
        # Once every optimizer is known, what comes before its steps matters to captures only.
        fresh = any(track.steps < 2 for track in self.tracks if track.takes_part(self.total))
        self.looks_before_steps = self._nested or fresh or not self.rounds.idle
        after = perf_counter()
        self.cost.drained(self.total, now, after)
        if after >= self._overhead_due or last:
            self._overhead_due = after + _OVERHEAD_PERIOD
            seconds = self.budget.total
            self.write("overhead", seconds=seconds, fraction=seconds / max(after - self.start - seconds, 1e-9))

    def _trace_non_finite(self, root: Tensor) -> None:
        for track in self.tracks:
            track.name(self.modules)
        named = [pair for t in self.tracks for pair in zip(t.names, t.parameters, strict=True)]
        step = max((t.steps for t in self.tracks), default=0)
        lines = {} if self.hidden_graph else self.lines
        about = forensics.describe(root, named, lines, walk=not self.hidden_graph)
        self.write("event", name="not_finite", step=step, **about)

    def finish(self, reason: str, exception: str | None = None) -> None:
        """Write what is still in memory and the last line."""
        if os.getpid() != self.pid:
            return
        self.settle()
        self.rounds.end()
        self.rounds.lift()
        if self.log.opened:
            now = perf_counter()
            self.guarded("writing the pulse", self._drain, now, True)
            self.guarded("ending", self._write_end, reason, exception, now)
        self.beat.off()
        self.mute = True  # where somebody has wrapped a function of ours, it is still called

    def _write_end(self, reason: str, exception: str | None, now: float) -> None:
        self.write(
            "end",
            reason=reason,
            exception=exception,
            steps=[t.steps for t in self.tracks],
            time=now - self.start,
            unfinished_losses=len(losses_in(self.beat.loss)),
            skipped_steps=self._skipped_steps,
        )
