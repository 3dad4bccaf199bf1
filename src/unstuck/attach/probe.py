"""A probe: build the replayable step of a captured round, take the measurements that can be paid for, write them."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from unstuck.attach.audit import audit
from unstuck.attach.captured import CapturedStep
from unstuck.attach.describe import describe_layers
from unstuck.attach.forensics import lines_of
from unstuck.attach.hooked import GradientDiffers
from unstuck.attach.quiet import no_warnings
from unstuck.attach.replay import NotReplayable
from unstuck.measure import MEASUREMENTS, Measurement
from unstuck.measure.errors import NotMeasurable
from unstuck.measure.evaluation import Evaluation

if TYPE_CHECKING:
    from unstuck.attach.session import Session
    from unstuck.attach.track import Track

#: Every so many probes the deep measurements are due.
_DEEP_EVERY = 3
#: Measurements of at most so many gradients make up a light probe.
_LIGHT = 4


class Prober:
    """Takes the probes of a session.

    Args:
        session: The session that captures the rounds and holds budget, names and writer.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._off: dict[str, str] = {}
        self._warm: dict[int, Tensor | None] = {}
        self._lowest: dict[int, Tensor] = {}
        self._counts: dict[int, int] = {}
        self._done: set[tuple[int, str]] = set()
        self._since = 0.0
        self._theirs = 0.0
        self._spent = 0.0
        self._layers_of: dict[int, int] = {}

    def opened(self, started: float) -> None:
        """Note that a round was opened; opening began at ``started``."""
        self._since = perf_counter()
        self._spent = self._since - started
        self._theirs = 0.0

    def step_ended(self, track: Track, optimizer: Optimizer) -> None:
        """Measure an optimizer's step if it is the first of its kind in the round, and end the round if it is complete.

        Args:
            track: What is kept about the optimizer that stepped.
            optimizer: The optimizer.
        """
        session, capture = self._session, self._session.capture
        assert capture is not None
        started = perf_counter()
        complete = capture.step_ended(optimizer)
        if id(optimizer) not in capture.measured:
            capture.measured.add(id(optimizer))
            with capture.paused(), no_warnings(), torch.enable_grad():
                self._measure(track, optimizer, started)
        capture.seen.pop(id(optimizer), None)
        now = perf_counter()
        self._spent += now - started
        self._theirs += started - self._since
        self._since = now
        if complete:
            session.rounds.close(track)
            slowdown = session.cost.round_ended(self._theirs, self._spent, capture.steps_seen)
            session.budget.took(capture.start, self._spent + slowdown, perf_counter())

    def _measure(self, track: Track, optimizer: Optimizer, started: float) -> None:
        session, capture = self._session, self._session.capture
        assert capture is not None
        track.name(session.modules)
        step = track.steps - 1
        m: dict[str, Any] = {}
        failed: dict[str, str] = dict(self._off)
        replay: dict[str, Any] = {"ok": False, "why": None, "error": None, "backwards": 0, "batch": None}
        if capture.tape.fault is not None:
            session.fault("recording", capture.tape.fault, end_round=False)
        others = session.optimizers()
        self._attempt("parameters", m, failed, lambda: audit(capture, optimizer, track.names, others, session.modules))
        captured: CapturedStep | None = None
        try:
            captured = CapturedStep(capture, optimizer, track.names, step)
            if session.settings.fault == "replay":
                raise RuntimeError("injected fault")
        except NotReplayable as reason:
            replay["why"] = str(reason)
            if isinstance(reason, GradientDiffers) and reason.comparison is not None:
                m["gradient_check"] = reason.comparison
        except Exception as error:
            captured = None
            replay["why"] = f"computing the step again failed with {type(error).__name__}: {_first_line(error)}"
            session.fault("replay", error, end_round=False)
        if captured is not None:
            session.lines = lines_of(captured.operations)
            replay.update(ok=True, error=captured.error, backwards=captured.backwards, batch=captured.batch_size)
            replay["scale"] = captured.scale
            self._describe(track, captured)
            gradient_time = captured.seconds
            light = whole = self._spent + perf_counter() - started
            complete = True
            m["loss"] = captured.value
            evaluation = Evaluation(captured, self._warm.get(track.index), self._lowest.get(track.index))
            for measurement in self._due(track, captured):
                guess = (measurement.gradients + measurement.per_layer * len(captured.layer_names)) * gradient_time
                running = self._spent + perf_counter() - started
                if not session.budget.affords(measurement.name, guess, perf_counter(), running):
                    cost = session.budget.cost_of(measurement.name, guess)
                    failed[measurement.name] = f"it would take about {cost:.2g} s, more than the time budget has left"
                    complete = complete and measurement.cadence != "every"
                    continue
                before = perf_counter()
                self._attempt(measurement.name, m, failed, lambda: measurement.function(evaluation))  # noqa: B023
                took = perf_counter() - before
                if measurement.cadence == "once":
                    self._done.add((track.index, measurement.name))
                session.budget.learn(measurement.name, took)
                whole += took if measurement.cadence == "every" else 0.0
                light += took if measurement.cadence == "every" and measurement.gradients <= _LIGHT else 0.0
            session.budget.learn("light probe", light)
            if complete:
                session.budget.learn("probe", whole)
            if evaluation.leading is not None:
                self._warm[track.index] = evaluation.leading
            if evaluation.lowest is not None:
                self._lowest[track.index] = evaluation.lowest
        cost = perf_counter() - started
        session.write(
            "probe",
            optimizer=track.index,
            step=step,
            time=started - session.start,
            cost=cost,
            replay=replay,
            m=m,
            failed=failed,
        )

    def _due(self, track: Track, captured: CapturedStep) -> list[Measurement]:
        count = self._counts.get(track.index, 0)
        self._counts[track.index] = count + 1
        kinds = {"every"}
        if self._session.settings.check:
            kinds |= {"once", "check"} if count == 0 else set()
            # The dear ones of every step tell how fast a run learns, which its first steps cannot show.
            dear = {m.name for m in MEASUREMENTS if m.cadence == "every" and m.gradients > _LIGHT}
            return [m for m in MEASUREMENTS if m.cadence in kinds and m.name not in dear | self._off.keys()]
        deep = count % _DEEP_EVERY == _DEEP_EVERY - 1
        kinds |= {"deep"} if deep else set()
        # What is measured once questions functions that the user wrote, and not before a first probe is paid for.
        kinds |= {"once"} if count > 0 and captured.has_functions else set()
        due = [m for m in MEASUREMENTS if m.name not in self._off and m.cadence in kinds]
        return [m for m in due if (track.index, m.name) not in self._done]

    def _attempt(self, name: str, m: dict[str, Any], failed: dict[str, str], measure: Any) -> None:
        if name in self._off:
            return
        try:
            if self._session.settings.fault == name:
                raise RuntimeError("injected fault")
            m[name] = measure()
        except NotMeasurable as reason:
            failed[name] = str(reason)
        except Exception as error:
            failed[name] = self._off[name] = f"it failed with {type(error).__name__}: {_first_line(error)}"
            self._session.fault(name, error, end_round=False)

    def _describe(self, track: Track, captured: CapturedStep) -> None:
        """Write the network's layers once they are known, and again if more of them show later."""
        if len(captured.tape_layers) > self._layers_of.get(track.index, 0):
            self._layers_of[track.index] = len(captured.tape_layers)
            layers = describe_layers(captured, track.owners, track.parameters, self._session.modules)
            self._session.write("layers", optimizer=track.index, layers=layers)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
