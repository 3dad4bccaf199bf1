"""``unstuck lab``: the list, one experiment, all of them, and what happens when one fails."""

from __future__ import annotations

import json
import subprocess

import pytest
import torch

from tests.cli.runner import UNSTUCK, environment
from tests.lab.fakes import Bare, Failing, Whole
from unstuck.cli import main
from unstuck.lab import catalogue


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def known(monkeypatch):
    """Replace the catalogue."""

    def put(*experiments):
        monkeypatch.setattr(catalogue, "EXPERIMENTS", experiments)

    put(Whole(), Bare())
    return put


def test_list(known, here, capsys):
    assert main(["lab"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0].split(maxsplit=1) == ["whole", "An experiment with numbers, pictures, settings and notes"]
    assert lines[1].split(maxsplit=1) == ["bare", "One number"]
    assert "unstuck lab NAME" in lines[-1]
    assert list(here.iterdir()) == []


def test_list_as_json(known, capsys):
    assert main(["lab", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[1] == {"name": "bare", "title": "One number", "source": "None"}


def test_every_experiment_is_listed(capsys):
    assert main(["lab", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == [e.name for e in catalogue.EXPERIMENTS]


def test_one(known, here, capsys):
    assert main(["lab", "whole", "--seed", "4"]) == 0
    out, err = capsys.readouterr()
    assert "It begins <here>. It goes on & on. It ends with seed 4." in out.replace("\n", " ")
    assert "agrees" in out
    assert "differs" in out
    assert "It was made up." in out
    assert "unstuck-lab/whole.html" in out.replace("\n", "")
    assert err.startswith("unstuck: whole: An experiment with numbers")
    assert "unstuck:   half of it is done\n" in err
    assert "unstuck:   1 of 2 agree (" in err
    assert sorted(file.name for file in (here / "unstuck-lab").iterdir()) == ["whole.html", "whole.json"]


@pytest.mark.parametrize("name", ["Whole", "WHOLE", " whole "])
def test_names_are_read_generously(known, name):
    assert main(["lab", name]) == 0


@pytest.mark.parametrize(
    ("name", "advice"),
    [("hole", "; did you mean whole?"), ("bear", "; did you mean bare?"), ("saddle", ";"), ("", ";")],
)
def test_an_unknown_name_is_answered_with_near_ones(known, capsys, name, advice):
    assert main(["lab", name]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"unstuck: there is no experiment {name!r}{advice} 'unstuck lab' lists all\n")


def test_json(known, here, capsys):
    assert main(["lab", "whole", "--quick", "--json", "--out", "pages/of mine"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert (numbers["schema"], numbers["name"], numbers["quick"]) == (1, "whole", True)
    assert numbers["comparisons"][1]["sure"] == "remembered"
    assert json.loads((here / "pages/of mine/whole.json").read_text()) == numbers
    assert (here / "pages/of mine/whole.html").is_file()


def test_a_folder_that_cannot_be_made(known, here, capsys):
    (here / "taken").write_text("a file")
    assert main(["lab", "bare", "--out", "taken"]) == 2
    assert capsys.readouterr().err == "unstuck: --out taken cannot be made (File exists); name a folder that can\n"


def test_a_device_that_is_not_there(known, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["lab", "bare", "--device", "cuda"]) == 2
    said = capsys.readouterr().err
    assert said == "unstuck: --device cuda: torch sees no such device here; leave it out for the cpu\n"


def test_all_goes_on_after_one_that_fails(known, here, capsys):
    known(Whole(), Failing(ValueError("too few digits")), Bare())
    assert main(["lab", "all"]) == 1
    out, err = capsys.readouterr()
    assert "it could not be run: ValueError: too few digits" in out
    assert "One number" in out
    progress = [line for line in err.splitlines() if line.startswith("unstuck: [")]
    assert [line.split()[1:3] for line in progress] == [["[1/3]", "whole:"], ["[2/3]", "failing:"], ["[3/3]", "bare:"]]
    assert "unstuck:   ValueError: too few digits (" in err
    numbers = json.loads((here / "unstuck-lab/all.json").read_text())
    assert [one["verdict"] for one in numbers] == ["1 of 2 agree", "failed", "nothing to compare"]


def test_all_as_json(known, capsys):
    assert main(["lab", "all", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["whole", "bare"]


def test_one_that_fails(known, here, capsys):
    known(Failing(number=float("inf")))
    assert main(["lab", "failing"]) == 1
    assert "it could not be run: the ratio came out as inf" in capsys.readouterr().out
    assert "It could not be run" in (here / "unstuck-lab/failing.html").read_text()


def test_ctrl_c_keeps_what_is_done(known, here, capsys):
    known(Whole(), Failing(KeyboardInterrupt()), Bare())
    assert main(["lab", "all"]) == 130
    assert [one["name"] for one in json.loads((here / "unstuck-lab/all.json").read_text())] == ["whole"]
    assert "Traceback" not in capsys.readouterr().err


def test_from_a_shell(here):
    done = subprocess.run(
        [*UNSTUCK, "lab", "step-size", "--quick", "--json"],
        cwd=here,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["name"]) == (0, "step-size")
