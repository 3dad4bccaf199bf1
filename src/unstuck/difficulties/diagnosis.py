"""From a record to a diagnosis: run the catalogue, tell causes from symptoms, say what is missing, judge the run."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import replace

import numpy as np

from unstuck.difficulties.case import Case
from unstuck.difficulties.catalogue import DIFFICULTIES
from unstuck.difficulties.complete import complete
from unstuck.difficulties.course import Course
from unstuck.difficulties.figures import figure, percent
from unstuck.difficulties.finding import Diagnosis, Finding, NotMeasured, Overhead, State, Verdict
from unstuck.record import OptimizerInfo, Pulse, Run

#: Steps that a run needs before its loss curve is judged.
_FEW = 8
#: Share below a constant prediction's loss from which on, batch by batch, a run has found what there is to find.
_BETTER = 0.03
#: Measurements that many sound programs have no use for: their absence is not worth a line.
_OPTIONAL = ("decay", "held_out", "inputs", "modes", "precision", "targets", "task")
#: Measurements in words.
_WORDS = {
    "curvature": "the most negative curvature",
    "along_update": "the loss along the step",
    "baseline": "the best constant prediction",
    "layers": "the layers' signals",
    "norms": "the norms of weights and gradients",
    "parameters": "which parameters take part",
    "not_finite": "where values became non-finite",
}
_WRONG = tuple(d.name for d in DIFFICULTIES if d.group == "program" and d.name not in ("not-finite", "low-precision"))


def diagnose(run: Run) -> Diagnosis:
    """Judge a run from its record.

    Args:
        run: The record, complete or cut off anywhere.

    Returns:
        The diagnosis. The same record always gives the same one.
    """
    cases = cases_of(run)
    findings: list[Finding] = []
    failed: list[NotMeasured] = []
    for case in cases:
        found, broken = _search(case)
        findings += [replace(finding, optimizer=case.optimizer.index) for finding in _roles(found)]
        failed += broken
    order = {"cause": 0, "symptom": 1, "note": 2}
    findings.sort(key=lambda f: (order[f.role], -_weight(f)))
    main = max(cases, key=lambda c: (len(c.pulse), c.optimizer.elements), default=None)
    verdict = judge(run, main, findings)
    overhead = Overhead(float(run.overhead.get("fraction", 0.0)), float(run.overhead.get("seconds", 0.0)))
    return Diagnosis(verdict, tuple(findings), (*not_measured(run, cases), *failed), overhead)


def cases_of(run: Run) -> list[Case]:
    """Return one case per optimizer that stepped, those with most weights first."""
    known = {info.index: info for info in run.optimizers}
    cases = []
    pulses = dict(run.pulse)
    if not pulses and (run.end or {}).get("skipped_steps"):
        pulses = {info.index: Pulse.empty() for info in run.optimizers}  # a GradScaler let no step through
    for index, pulse in pulses.items():
        info = known.get(index, OptimizerInfo(index, "?", 0, 0, [], None, None, None, None))
        cases.append(Case(run, info, pulse, [complete(probe) for probe in run.of(index)]))
    return sorted(cases, key=lambda c: -c.optimizer.elements)


def _search(case: Case) -> tuple[list[Finding], list[NotMeasured]]:
    """Run the whole catalogue on a case; a difficulty that fails is reported and the rest goes on."""
    found, failed = [], []
    for difficulty in DIFFICULTIES:
        try:
            if os.environ.get("UNSTUCK_FAULT") == difficulty.name:
                raise RuntimeError("injected fault")
            with np.errstate(all="ignore"):
                finding = difficulty.find(case)
        except Exception as error:
            reason = f"its judgement failed with {type(error).__name__}: {error}"
            failed.append(NotMeasured(difficulty.name, reason))
            continue
        if finding is not None:
            found.append(finding)
    return found, failed


def _roles(found: list[Finding]) -> list[Finding]:
    """Make symptoms of the findings that another cause explains.

    The catalogue's order decides between two that explain each other. What explains a cause's own symptom does not
    count against it.
    """
    explains = {d.name: d.explains for d in DIFFICULTIES}
    explains |= {f.difficulty: f.explains for f in found if f.explains}  # a finding may know better
    causes = [f for f in found if f.role == "cause"]
    symptoms: set[str] = set()
    for finding in causes:
        if finding.difficulty in symptoms:
            continue
        for other in causes:
            mutual = finding.difficulty in explains[other.difficulty] and other.difficulty not in symptoms
            first = mutual and causes.index(other) < causes.index(finding)
            if other.difficulty in explains[finding.difficulty] and not first:
                symptoms.add(other.difficulty)
    result = []
    for finding in found:
        if finding.difficulty in symptoms:
            result.append(replace(finding, role="symptom"))
        elif finding.role == "cause":
            own = tuple(name for name in explains[finding.difficulty] if name in symptoms)
            result.append(replace(finding, explains=own))
        else:
            result.append(finding)
    return result


def _weight(finding: Finding) -> float:
    """Order causes by how sure they are, then by what they cost."""
    cost = finding.cost.times_slower if finding.cost is not None else 1.0
    rank = [d.name for d in DIFFICULTIES].index(finding.difficulty)
    return finding.confidence + 0.02 * math.log10(min(max(cost, 1.0), 1e6)) - 0.001 * rank


def judge(run: Run, case: Case | None, findings: list[Finding]) -> Verdict:
    """Put the run into one word and one sentence.

    Args:
        run: The record.
        case: The case of its main optimizer.
        findings: All findings, causes first.

    Returns:
        The verdict.
    """
    if case is None:
        return Verdict("unknown", "No optimizer step was seen, so there is nothing to judge.")
    causes = [f for f in findings if f.role == "cause"]
    course = case.course
    if course is None or course.steps < _FEW:
        seen = 0 if course is None else course.steps
        if causes:
            return Verdict("wrong", causes[0].sentence)
        return Verdict("unknown", f"Only {seen or len(case.pulse)} steps with a loss were seen: too few to judge.")
    state = _state(case, course, causes)
    return Verdict(state, _sentence(state, course, causes, case))


def _state(case: Case, course: Course, causes: list[Finding]) -> State:
    names = [c.difficulty for c in causes]
    if course.ends_bad:
        return "diverged"
    if causes and names[0] in _WRONG:
        return "wrong"
    if case.adversarial:
        return "slow" if causes else "healthy"
    if course.signed and not causes and not course.learned:
        return "unknown"
    above = not course.signed and course.gain < -0.5 and course.end > 1.5 * course.reference
    if above and not course.still_falling:
        return "diverged"
    if causes:
        return "stuck" if course.gain < 0.15 else "slow"
    if course.gain < 0.1 and course.better < _BETTER and not (course.still_falling and course.falling > 0.01):
        return "stuck"
    return "healthy" if course.still_falling and course.falling > 0.01 else "converged" if course.learned else "healthy"


def _sentence(state: State, course: Course, causes: list[Finding], case: Case) -> str:
    level = f"loss {figure(course.end, 3)} after {course.steps} steps"
    start = figure(course.start, 3)
    constant = course.constant
    compared = (
        f", no better than the best constant prediction ({figure(constant, 3)})"
        if constant is not None and course.end > 0.97 * constant and course.gain < 0.1
        else ""
    )
    blame = ""
    if causes:
        named = " and ".join(c.difficulty for c in causes[:3])
        blame = f"; {'the causes are' if len(causes) > 1 else 'the cause is'} {named}"
    if case.adversarial and state == "healthy":
        return "Two optimizers train against each other, so the loss need not fall; no fault was found."
    # Where most of the loss is noise, it hardly falls: then what counts is that it is below a constant prediction's.
    explained = f"{percent(course.better)} below what the best constant prediction has on the same batches"
    way = explained if course.gain < 0.1 and course.better >= _BETTER else f"from {start}"
    words = {
        "unknown": f"The loss did not fall ({level}, from {start}), but it takes negative values and may not measure "
        f"progress (as in reinforcement learning); no fault was found.",
        "healthy": f"The training goes well: {level}, {way}{blame}.",
        "converged": f"The training has converged: {level}, from {start}{blame}.",
        "slow": f"The training is slower than it could be: {level}, from {start}{blame}.",
        "stuck": f"The training is stuck: {level}{compared}{blame}.",
        "diverged": f"The training diverged: {'the loss became NaN or infinite' if course.ends_bad else level}{blame}.",
        "wrong": f"The program does not do what it means to: {causes[0].sentence if causes else ''}",
    }
    sentence = words[state]
    if state == "stuck" and not causes:
        sentence += " No cause was found: the inputs may not tell the targets, or it lies in what was not measured."
    return sentence


def not_measured(run: Run, cases: list[Case]) -> list[NotMeasured]:
    """List what is missing from the record, with the reasons, each once."""
    missing: list[NotMeasured] = []
    for case in cases:
        if not case.probes:
            why = (
                "probes were switched off"
                if not run.manifest.get("probes", True)
                else "the time budget left no room for one"
            )
            missing.append(NotMeasured(f"everything beyond the loss ({case.optimizer.name})", why))
            continue
        unplayed = Counter(p.replay["why"] for p in case.probes if not p.replay["ok"])
        for why, count in unplayed.most_common(3):
            missing.append(NotMeasured(f"the replay of {count} of {len(case.probes)} probe steps", str(why)))
        reasons: dict[str, Counter[str]] = {}
        taken = Counter(name for p in case.probes for name in p.m)
        for probe in case.probes:
            for name, why in probe.failed.items():
                reasons.setdefault(name, Counter())[_plain(why)] += 1
        for name, counts in reasons.items():
            if taken[name] == 0 and name not in _OPTIONAL:
                missing.append(NotMeasured(_WORDS.get(name, name), counts.most_common(1)[0][0]))
    for error in run.errors[:5]:
        missing.append(NotMeasured(error["where"], f"unstuck itself failed at step {error['step']}: {error['error']}"))
    if len(run.ranks) > 1:
        missing.append(NotMeasured(f"{len(run.ranks) - 1} other processes", "this report is about the first one"))
    return list(dict.fromkeys(missing))


def _plain(why: str) -> str:
    """Leave the seconds out of a reason, so that equal reasons are counted together."""
    return "it would take more than the time budget has left" if why.startswith("it would take about") else why
