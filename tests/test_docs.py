"""What the documentation says is so: its links lead somewhere, its commands parse, and its tables are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from unstuck.cli import build_parser
from unstuck.difficulties.finding import STATES, Cost, Diagnosis, Finding, NotMeasured, Overhead, Verdict, Where
from unstuck.lab.catalogue import EXPERIMENTS
from unstuck.record import Run
from unstuck.report.as_json import to_json

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
#: A line that calls unstuck; "unstuck took 2 s" is what it prints, not a command.
COMMAND = re.compile(r"^\s*(?:\$ )?(unstuck (?!took)[a-z][^#\n]*)", re.MULTILINE)
COMMANDS = [line.strip() for page in PAGES for line in COMMAND.findall(page.read_text()) if "`" not in line]


def first_column(page: str, heading: str) -> list[str]:
    """Return the first column of the table under a heading, without its head."""
    text = (ROOT / page).read_text().split(f"{heading}\n", 1)[1]
    lines = text[text.index("|") :].split("\n\n", 1)[0].splitlines()
    return [line.split("|")[1].strip().strip("`") for line in lines[2:]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command: str) -> None:
    words, _, program = command.partition(" -- ")
    arguments = build_parser().parse_args(shlex.split(words)[1:])
    assert hasattr(arguments, "program") == bool(program)


def test_there_are_commands_to_parse() -> None:
    assert len(COMMANDS) >= 6


def test_report_json_is_described_key_by_key() -> None:
    finding = Finding("saddle", "cause", 0.9, "A saddle.", Where("1", None, "x.py", 3), Cost(2.0, 1.0, 3.0))
    missing = NotMeasured("curvature", "no replay")
    diagnosis = Diagnosis(Verdict("stuck", "Stuck."), (finding,), (missing,), Overhead(0.02, 1.0))
    report = to_json(Run(Path("run"), {}), diagnosis)

    described = first_column("docs/report-json.md", "# `report.json`")
    assert {key.split(".")[0] for key in described} == set(report)
    for key in (key for key in described if "." in key):
        outer, inner = key.split(".")
        assert inner in report[outer]
    assert first_column("docs/report-json.md", "## A finding") != []
    assert set(first_column("docs/report-json.md", "## A finding")) == set(report["findings"][0])


def test_every_state_is_described() -> None:
    assert tuple(first_column("docs/how-it-works.md", "## 6. Judgement")) == STATES


def test_every_experiment_has_a_row() -> None:
    assert first_column("docs/lab.md", "## The experiments") == [experiment.name for experiment in EXPERIMENTS]
