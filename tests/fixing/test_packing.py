"""A packed function runs in a new process as it would here, and what goes wrong there is said with its own lines."""

from __future__ import annotations

import linecache
import subprocess
import sys
import types

import pytest
import torch
from torch import nn

from tests.cli.runner import environment
from tests.fixing.programs import Net, train
from unstuck.errors import UsageError
from unstuck.fixing.packing import pack

CELL = """
class Kept:
    pass

def told():
    return sys.argv

def cell():
    import pickle
    assert type(pickle.loads(pickle.dumps(Kept()))) is Kept
    print(told(), LIST, __name__)
    raise KeyError("from a cell")
"""


def run(function, folder) -> subprocess.CompletedProcess[str]:
    """Run a function as a trial does."""
    file = folder / "function.pickle"
    file.write_bytes(pack(function).data)
    command = [sys.executable, "-u", "-m", "unstuck.fixing", str(file)]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def cell():
    """A function of a notebook: in ``__main__``, its source known to ``linecache`` alone."""
    file = "<ipython-input-3-0a1b2c>"
    names = {"__name__": "__main__", "sys": sys, "LIST": [1, 2]}
    exec(compile(CELL, file, "exec"), names)
    linecache.cache[file] = (len(CELL), None, CELL.splitlines(keepends=True), file)
    yield names["cell"]
    del linecache.cache[file]


def test_a_cell_runs_with_what_it_uses_and_fails_at_its_own_line(cell, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["notebook", "--fast"])
    done = run(cell, tmp_path)
    assert done.returncode == 1
    assert done.stdout == "['notebook', '--fast'] [1, 2] __main__\n"
    first, where, line, *_, last = done.stderr.splitlines()
    assert first == "Traceback (most recent call last):"
    assert where == '  File "<ipython-input-3-0a1b2c>", line 12, in cell'
    assert line == '    raise KeyError("from a cell")'
    assert last == "KeyError: 'from a cell'"


def test_a_cell_is_called_by_its_number(cell, tmp_path, monkeypatch):
    cells = {"<ipython-input-3-0a1b2c>": ("Cell", "In[3]")}
    shell = types.SimpleNamespace(compile=types.SimpleNamespace(format_code_name=cells.get))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    done = run(cell, tmp_path)
    assert done.stderr.splitlines()[1:3] == [
        '  File "Cell In[3]", line 12, in cell',
        '    raise KeyError("from a cell")',
    ]


def test_the_callers_path_and_captured_values_go_along(tmp_path, monkeypatch):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "helper_of_mine.py").write_text("VALUE = 5")
    monkeypatch.syspath_prepend(tmp_path / "beside")
    given = {"a": 1}

    def function():
        import helper_of_mine

        given["a"] += helper_of_mine.VALUE
        print(given["a"])

    assert run(function, tmp_path).stdout == "6\n"
    assert given == {"a": 1}


def test_networks_and_optimizers_from_outside_are_noted_once():
    model, criterion = nn.Sequential(Net(), nn.Linear(3, 3)), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def on_both():
        return model, optimizer, criterion, model[0]

    assert pack(on_both).outside == ("Sequential", "SGD")
    assert pack(train).outside == ()


def test_an_error_of_the_users_own_objects_is_a_sentence_too():
    class Stubborn:
        def __reduce__(self):
            raise RuntimeError("not me\nat all")

    stubborn = Stubborn()
    with pytest.raises(UsageError, match=r"it uses 'stubborn', a Stubborn, which cannot be copied \(not me\)"):
        pack(lambda: stubborn)
