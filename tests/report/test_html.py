from __future__ import annotations

import itertools
import json
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from tests.report import fakes
from unstuck.report import html, write_reports
from unstuck.report.as_json import to_json
from unstuck.report.outline import outline
from unstuck.report.pictures import PICTURES, Missing, Picture

VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """Collects elements, checks that they nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.text).append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture(scope="session")
def page(case):
    return Page(html.render(*case))


def test_every_element_closes_and_every_id_is_one(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {n for _, a in page.elements for key in ("aria-labelledby",) for n in (a.get(key) or "").split()}
    assert named <= set(ids)


def test_nothing_runs_and_nothing_is_loaded(page):
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert [attributes.get("type") for attributes in scripts] == ["application/json"]
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        links = [attributes.get(name) or "" for name in ("src", "href", "action", "srcset")]
        assert all(link.startswith(("#", "data:,")) or not link for link in links)


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_landmarks_tables_and_pictures_speak(page):
    assert page.count("main") == page.count("header") == page.count("footer") == 1
    assert page.count("table") == page.count("caption")
    assert all(a.get("scope") in ("row", "col") for tag, a in page.elements if tag == "th")
    drawings = [a for tag, a in page.elements if tag == "svg" and a.get("aria-hidden") != "true"]
    assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in drawings)
    assert page.count("desc") == len(drawings)


def test_data_is_the_public_report(case, page):
    assert json.loads("".join(page.scripts)) == json.loads(json.dumps(to_json(*case)))


def test_strings_of_the_program_are_text(hostile):
    source = html.render(*hostile)
    page = Page(source)
    assert "<script>alert" not in source
    assert source.count("</style>") == 1
    assert "\x1b" not in source
    assert "\x00" not in source
    assert any("<script>alert(1)</script>[red]" in text for text in page.text)


def test_verdict_comes_first_then_cause_cost_place_and_remedy(stuck):
    text = " ".join(" ".join(Page(html.render(*stuck)).text).split())
    order = [
        "The loss has stayed at 2.303", "Step too small", "About 6 times slower (5 to 7)", "train.py:31",
        "lr=1.0 instead of lr=0.1", "This explains", "Vanishing gradient", "Weight decay too strong", "Notes",
        "The evidence", "What was not measured", "The run",
    ]  # fmt: skip
    body = text[text.index("Skip to the findings") :]
    assert [body.find(part) for part in order] == sorted(body.find(part) for part in order)
    assert all(part in body for part in order)


@pytest.mark.parametrize("draw", PICTURES, ids=lambda draw: draw.__module__.rpartition(".")[2])
def test_pictures_are_well_formed_and_finite(case, draw):
    run, diagnosis = case
    picture = draw(run, outline(diagnosis))
    if isinstance(picture, Missing):
        assert run.steps == 0
        assert picture.why.endswith(".")
        return
    for drawing in picture.drawings:
        root = ET.fromstring(drawing)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        assert not re.search(r"\b(nan|inf)\b", re.sub(r">[^<]*<", "><", drawing))
        for element in root.iter():
            for name, size in (("cx", width), ("x1", width), ("x2", width), ("cy", height), ("y1", height)):
                if name in element.attrib:
                    assert -1 <= float(element.attrib[name]) <= size + 1, (element.tag, element.attrib)
    assert picture.caption


def test_loss_picture_marks_findings_and_what_is_not_finite(tmp_path):
    run, diagnosis = fakes.diverged(tmp_path / "run")
    picture = PICTURES[0](run, outline(diagnosis))
    assert isinstance(picture, Picture)
    marks = re.findall(r'class="flag-text">([^<]*)<', picture.drawings[0])
    assert marks == ["1", "2"]
    assert "NaN or infinite from step 75" in picture.caption
    assert picture.drawings[0].count('class="bad"') == 1
    run.events.clear()
    run.probes.clear()
    calm = PICTURES[0](run, outline(diagnosis.__class__(diagnosis.verdict, (), (), diagnosis.overhead)))
    assert isinstance(calm, Picture)
    bad = ET.fromstring(calm.drawings[0]).findall(".//*[@class='bad']")
    assert len(bad) == 1  # only where the loss is infinite: a NaN may be a step that was not seen


def test_missing_measurements_are_named_with_the_reason(tmp_path):
    run, diagnosis = fakes.empty(tmp_path / "run")
    text = " ".join(Page(html.render(run, diagnosis)).text)
    assert "No probe step was taken in this run." in text
    assert "No optimizer step was seen." in text


def test_a_picture_that_fails_costs_no_more_than_itself(tmp_path):
    run, diagnosis = fakes.stuck(tmp_path / "run")
    run.probes[0].m["sharpness"] = {"largest": 1.0, "limit": "?", "rule": object()}
    run.probes[0].m["along_update"] = ["not", "a", "mapping"]
    text = " ".join(Page(html.render(run, diagnosis)).text)
    assert "It could not be drawn, which is a fault of unstuck: AttributeError" in text
    assert "The loss has stayed at 2.303" in text


def test_reports_are_written_whole_and_leave_nothing_else(tmp_path):
    run, diagnosis = fakes.hostile(tmp_path / "run")
    run.manifest["program"] = "\udc80.py"  # a file name that is not UTF-8
    before = set(run.path.iterdir())
    paths = write_reports(run, diagnosis)
    assert set(run.path.iterdir()) - before == set(paths.values())
    assert {name: path.name for name, path in paths.items()} == {
        "html": "report.html", "md": "report.md", "json": "report.json",
    }  # fmt: skip
    for path in paths.values():
        path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_report_that_cannot_replace_the_old_one_leaves_it(tmp_path, monkeypatch):
    run, diagnosis = fakes.single(tmp_path / "run")
    paths = write_reports(run, diagnosis)
    old = paths["html"].read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_reports(run, diagnosis)
    assert paths["html"].read_bytes() == old
    assert [name for name in run.path.iterdir() if name.name.startswith(".")] == []


def test_reports_do_not_need_torch():
    code = "import sys, unstuck.report, unstuck.report.live, unstuck.report.terminal; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
