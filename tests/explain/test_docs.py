"""The documentation's pages are those of the source: made by ``python -m unstuck.explain --docs docs/difficulties``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from unstuck.explain.docs import documents, write

FOLDER = Path(__file__).parents[2] / "docs" / "difficulties"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
MADE = documents()
AGAIN = "run: python -m unstuck.explain --docs docs/difficulties"


def test_the_folder_holds_these_files_and_no_others():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(MADE), AGAIN


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_file_is_up_to_date(name):
    found, made = (FOLDER / name).read_text(encoding="utf-8"), MADE[name]
    if name.endswith(".svg"):
        # Another processor may round the last digit another way.
        assert NUMBER.sub("0", found) == NUMBER.sub("0", made), AGAIN
        pairs = zip(NUMBER.findall(found), NUMBER.findall(made), strict=True)
        assert max(abs(float(a) - float(b)) for a, b in pairs) <= 0.2, AGAIN
    else:
        assert found == made, AGAIN


@pytest.mark.parametrize("name", [name for name in sorted(MADE) if name.endswith(".md")])
def test_links_lead_to_files(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", MADE[name])
    assert links != []
    assert [link for link in links if link not in MADE] == []


def test_files_are_written_where_asked_for(tmp_path):
    written = write(tmp_path / "new" / "folder")
    assert {path.name: path.read_text(encoding="utf-8") for path in written} == MADE


def test_the_maintainers_command(tmp_path):
    command = [sys.executable, "-m", "unstuck.explain", "--docs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(MADE)} files written to {tmp_path}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MADE)
