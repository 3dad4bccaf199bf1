"""``report.md``: the report for a pull request, an issue or a chat."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstuck.difficulties.finding import Diagnosis, Finding
from unstuck.record import Run
from unstuck.report import facts, words
from unstuck.report.effects import beside, effect, raced_by
from unstuck.report.outline import Entry, outline
from unstuck.report.patch import patch_of
from unstuck.report.trials import TrialArm, trials_of


def render(run: Run, diagnosis: Diagnosis) -> str:
    """Return the report as Markdown; whatever comes from the program is escaped.

    Args:
        run: The run.
        diagnosis: What its record says.

    Returns:
        The text, ending with a line end.
    """
    return "\n".join(_lines(run, diagnosis)).rstrip() + "\n"


def _lines(run: Run, diagnosis: Diagnosis) -> Iterator[str]:
    findings = outline(diagnosis)
    yield from (f"# {diagnosis.verdict.state.capitalize()}: {escape(diagnosis.verdict.sentence)}", "")
    for entry in findings.causes:
        yield from _cause(entry)
    yield from _section("Trials", _trials(run))
    yield from _section("Symptoms without a cause found", [_item(entry) for entry in findings.symptoms])
    yield from _section("Notes", [_item(entry) for entry in findings.notes])
    yield from _section(
        "What was not measured", [f"- {escape(n.what)}: {escape(n.why)}" for n in diagnosis.not_measured]
    )
    faults = [f"- {escape(e.get('where', ''))} at step {escape(e.get('step'))}" for e in run.errors]
    yield from _section("Faults of unstuck itself", faults)
    yield from _section("The run", _facts(run, diagnosis))


def _trials(run: Run) -> list[str]:
    """Return a table of the arms that were tried, the proven ones with what to write."""
    trials = trials_of(run)
    if trials is None:
        return []
    rows = ["| what was changed | outcome | effect |", "|---|---|---|"]
    for arm in trials.arms:
        rows.append(f"| {escape(arm.label)} | {arm.status.replace('-', ' ')} | {escape(_effects(arm))} |")
    edits = [f"- {escape(edit.sentence)}" for arm in trials.proven[:1] for edit in arm.edits]
    patch = patch_of(run, trials)
    applied = [f"As a patch, applied by {code(patch.command)}", ""] if patch is not None else []
    seeds = [escape(trials.restarts.sentence), ""] if trials.restarts is not None else []
    by = [f"Raced {escape(raced_by(trials))}.", ""] if trials.metric is not None else []
    return [*by, *(["To write for the best one:", "", *edits, "", *applied] if edits else []), *seeds, *rows]


def _effects(arm: TrialArm) -> str:
    return "; ".join(part for part in (effect(arm), beside(arm)) if part)


def _section(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield from (f"## {title}", "", *items, "")


def _cause(entry: Entry) -> Iterator[str]:
    finding = entry.finding
    yield from (f"## {entry.number}. {escape(words.title(finding.difficulty))}{_cost(finding)}", "")
    if words.place(finding.where):
        yield from (f"At {code(words.place(finding.where))}", "")
    yield from (escape(finding.sentence), "")
    if finding.remedies:
        yield from ("What to write instead:", "", *(f"{i}. {escape(r)}" for i, r in enumerate(finding.remedies, 1)), "")
    if entry.symptoms:
        yield from ("This explains:", "", *(_item(symptom) for symptom in entry.symptoms), "")


def _cost(finding: Finding) -> str:
    return f": {words.cost(finding.cost)}" if finding.cost else ""


def _item(entry: Entry) -> str:
    finding = entry.finding
    place = f", at {code(words.place(finding.where))}" if words.place(finding.where) else ""
    return f"- **{escape(words.title(finding.difficulty))}**{place}: {escape(finding.sentence)}"


def _facts(run: Run, diagnosis: Diagnosis) -> list[str]:
    overhead = diagnosis.overhead
    rows = [
        ("Command", code(facts.command(run)).replace("|", "\\|") if facts.command(run) else ""),  # a cell ends at "|"
        ("Steps", words.count(run.steps)),
        ("Time", words.duration(facts.seconds(run))),
        ("Ended", escape(facts.ending(run))),
        ("Taken by unstuck", f"{words.duration(overhead.seconds)}, {words.percent(overhead.fraction)} of the run"),
        ("Versions", escape(", ".join(f"{name} {version}" for name, version in facts.versions(run).items()))),
    ]
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows if value)]


def escape(text: object) -> str:
    """Return ``text`` so that Markdown shows it as it is: no markup, link, table or HTML of its own."""
    shown = words.clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"([\\`*_\[\]{}|~])", r"\\\1", shown)
    return re.sub(r"^(\d*)([#+.)-])", r"\1\\\2", shown)  # the starts of headings and lists


def code(text: str) -> str:
    """Return ``text`` as a code span whose fence is longer than any row of backticks in it."""
    shown = words.clean(text)
    fence = "`" * (1 + max((len(row) for row in re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"
