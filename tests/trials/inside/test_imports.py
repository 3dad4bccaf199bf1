"""Functions are called right after the import of a module, whenever that is."""

from __future__ import annotations

import importlib
import sys

import pytest

from unstuck.trials.inside import imports


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that has not been imported; gives its name."""
    name = "imported_late_in_a_test"
    (tmp_path / f"{name}.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(name, None)
    imports._watch.waiting.pop(name, None)


def test_it_is_called_when_the_modules_own_lines_have_run_and_once(module):
    seen = []
    for key in "ab":
        imports.when_imported(module, lambda found, key=key: seen.append((key, found.value)))
    assert not seen
    first = importlib.import_module(module)
    assert seen == [("a", 1), ("b", 1)]
    importlib.reload(first)
    assert len(seen) == 2


def test_it_is_called_at_once_where_the_module_is_there_already():
    seen = []
    imports.when_imported("json", seen.append)
    assert seen == [sys.modules["json"]]


def test_a_module_that_is_not_there_is_still_not_there():
    imports.when_imported("no_such_module_anywhere", print)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module_anywhere")
    imports._watch.waiting.pop("no_such_module_anywhere")
