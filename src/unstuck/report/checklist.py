"""The checks as data: ``check.json``, the form that other programs read (schema 1), and a JUnit file for CI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from unstuck.checks.check import Check, Status
from unstuck.record import Run
from unstuck.report import facts, words
from unstuck.report.as_json import strict

SCHEMA = 1
STATUSES: tuple[Status, ...] = ("pass", "fail", "not measured")


@dataclass(frozen=True, slots=True)
class Checklist:
    """What ``unstuck check`` says of a program.

    Attributes:
        checks: The answers, in order.
        ending: How the program ended: ``check`` (by us, after its first steps), ``exit`` (by itself), ``crash``, or
            ``timeout`` (by us, because it took too long).
        exit_code: The program's exit code, as a shell gives it.
        seconds: How long it ran.
        remark: What else is to be known, one sentence; None for nothing.
    """

    checks: tuple[Check, ...]
    ending: str
    exit_code: int
    seconds: float
    remark: str | None = None

    def count(self, status: Status) -> int:
        """Return how many checks have a status."""
        return sum(check.status == status for check in self.checks)


def to_json(run: Run, checklist: Checklist) -> dict[str, Any]:
    """Return the public form of the checks, strict JSON values only.

    Args:
        run: The run that they were read from.
        checklist: The checks.

    Returns:
        ``schema``, ``passed`` (nothing failed, and something was seen), ``counts``, ``checks`` and ``run``.
    """
    return {
        "schema": SCHEMA,
        "passed": not checklist.count("fail") and run.steps > 0 and checklist.ending != "crash",
        "counts": {status: checklist.count(status) for status in STATUSES},
        "checks": [_check(check) for check in checklist.checks],
        "remark": checklist.remark,
        "run": {
            "name": run.path.name,
            "program": facts.program(run),
            "command": facts.command(run),
            "steps": run.steps,
            "probes": len(run.probes),
            "seconds": checklist.seconds,
            "ending": checklist.ending,
            "exit_code": checklist.exit_code,
        },
    }


def _check(check: Check) -> dict[str, Any]:
    where = check.where
    place = where and {"layer": where.layer, "parameter": where.parameter, "file": where.file, "line": where.line}
    values = {
        "name": check.name,
        "title": check.title,
        "status": check.status,
        "sentence": check.sentence,
        "where": place,
        "evidence": check.evidence,
    }
    return {key: strict(value) for key, value in values.items()}


def to_junit(run: Run, checklist: Checklist) -> str:
    """Return the checks as a JUnit XML file: one test case each, those not measured as skipped.

    Args:
        run: The run that they were read from.
        checklist: The checks.
    """
    crash = checklist.ending == "crash" or not run.steps
    suite = ElementTree.Element(
        "testsuite",
        name="unstuck check",
        tests=str(len(checklist.checks) + crash),
        failures=str(checklist.count("fail")),
        skipped=str(checklist.count("not measured")),
        errors=str(int(crash)),
        time=f"{checklist.seconds:.3f}",
    )
    program = words.clean(facts.program(run))
    if crash:
        case = ElementTree.SubElement(suite, "testcase", classname=program, name="program")
        ElementTree.SubElement(case, "error", message=words.clean(checklist.remark or "the program failed"))
    for check in checklist.checks:
        about = {"classname": program, "name": check.name}
        if check.where is not None and check.where.file:
            about |= {"file": words.clean(check.where.file), "line": str(check.where.line or 0)}
        case = ElementTree.SubElement(suite, "testcase", about)
        sentence = words.clean(check.sentence)
        if check.status == "fail":
            place = words.clean(str(check.where or ""))
            failure = ElementTree.SubElement(case, "failure", message=sentence)
            failure.text = f"{place}: {sentence}" if place else sentence
        elif check.status == "not measured":
            ElementTree.SubElement(case, "skipped", message=sentence)
        else:
            ElementTree.SubElement(case, "system-out").text = sentence
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"
