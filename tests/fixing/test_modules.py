"""Modules that a new process would not find are copied; those that it would find are not."""

from __future__ import annotations

import importlib.util
import pickle
import sys

import cloudpickle
import pytest

from unstuck.fixing.modules import by_value


@pytest.fixture
def module(tmp_path):
    """A module that was loaded from its file, past ``sys.path``, as pytest does with ``--import-mode=importlib``."""
    file = tmp_path / "somewhere_else.py"
    file.write_text("NUMBER = 7\ndef number():\n    return NUMBER\n")
    spec = importlib.util.spec_from_file_location("somewhere_else", file)
    made = importlib.util.module_from_spec(spec)
    sys.modules["somewhere_else"] = made
    spec.loader.exec_module(made)
    yield made
    sys.modules.pop("somewhere_else", None)


def dumped(value) -> bytes:
    with by_value():
        return cloudpickle.dumps(value)


def test_a_module_that_is_nowhere_on_the_path_is_copied(module):
    data = dumped(module.number)
    del sys.modules["somewhere_else"]
    assert pickle.loads(data)() == 7
    assert cloudpickle.list_registry_pickle_by_value() == set()


def test_one_that_is_on_the_path_is_imported_anew(module, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    data = dumped(module.number)
    (tmp_path / "somewhere_else.py").write_text("def number():\n    return 88888888\n")
    del sys.modules["somewhere_else"]
    assert pickle.loads(data)() == 88888888


def test_one_whose_name_leads_to_another_file_is_copied(module, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "somewhere_else.py").write_text("def number():\n    return -1\n")
    monkeypatch.syspath_prepend(other)
    assert pickle.loads(dumped(module.number))() == 7


def test_what_the_user_has_registered_stays_so(module):
    cloudpickle.register_pickle_by_value(module)
    try:
        dumped(module.number)
        assert cloudpickle.list_registry_pickle_by_value() == {"somewhere_else"}
    finally:
        cloudpickle.unregister_pickle_by_value(module)
