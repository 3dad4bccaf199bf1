"""Our own warnings are nobody's business, and the program's are shown as often as without us."""

from __future__ import annotations

import subprocess
import sys

import unstuck
from unstuck.attach.quiet import no_warnings

PROGRAM = """
import sys, warnings
sys.path.insert(0, {source!r})
from unstuck.attach.quiet import no_warnings
for _ in range(3):
    warnings.warn("the program's own")
    with no_warnings():
        warnings.warn("ours")
"""


def test_each_warning_is_shown_once(tmp_path):
    source = str(next(iter(unstuck.__path__)).removesuffix("/unstuck"))
    command = [sys.executable, "-c", PROGRAM.format(source=source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.count("the program's own") == 1
    assert done.stderr.count("ours") == 0


def test_where_warnings_are_errors_ours_are_none():
    import warnings

    before = list(warnings.filters)
    with no_warnings():
        warnings.warn("ours", stacklevel=1)
    assert list(warnings.filters) == before
