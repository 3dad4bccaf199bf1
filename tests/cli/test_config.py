from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.config import FAIL_ON, Config, read_config
from unstuck.difficulties.finding import STATES
from unstuck.errors import UsageError
from unstuck.settings import Settings


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.unstuck]\nbudget = 0.2\nfloor = 5\nprobes = false\nfail-on = "slow"\ndir = "runs"\nquiet = true\n'
    )
    return tmp_path


def test_defaults_are_those_of_settings(tmp_path):
    assert read_config({}, {}, tmp_path) == Config()
    settings = Settings(tmp_path)
    assert (Config().budget, Config().floor, Config().probes) == (settings.budget, settings.floor, settings.probes)


def test_fail_on_names_the_states_that_are_no_good_news_in_their_order():
    assert STATES[-len(FAIL_ON) :] == FAIL_ON
    assert set(STATES) - set(FAIL_ON) == {"healthy", "converged"}


def test_the_file_is_read_and_its_paths_are_relative_to_it(project):
    below = project / "a" / "b"
    below.mkdir(parents=True)
    expected = Config(0.2, 5.0, False, project / "runs", "slow", True)
    assert read_config({}, {}, project) == expected
    assert read_config({}, {}, below) == expected


def test_variables_go_before_the_file_and_flags_before_both(project):
    env = {"UNSTUCK_BUDGET": "0.3", "UNSTUCK_PROBES": "1", "UNSTUCK_FAIL_ON": "wrong", "UNSTUCK_QUIET": "off"}
    config = read_config({"budget": "0.4", "dir": "here", "floor": None}, env, project)
    assert config == Config(0.4, 5.0, True, Path("here"), "wrong", False)


def test_an_empty_variable_is_none(project):
    assert read_config({}, {"UNSTUCK_BUDGET": ""}, project).budget == 0.2


def test_unstuck_toml_goes_before_its_neighbour_and_the_nearest_before_those_above(project):
    (project / "unstuck.toml").write_text("budget = 0.5\n")
    assert read_config({}, {}, project) == Config(budget=0.5)
    below = project / "below"
    below.mkdir()
    (below / "pyproject.toml").write_text("[tool.other]\nx = 'unstuck'\n")
    assert read_config({}, {}, below).budget == 0.5
    (below / "pyproject.toml").write_text("[tool.unstuck]\nbudget = 0.6\n")
    assert read_config({}, {}, below).budget == 0.6


def test_a_broken_pyproject_of_others_is_not_our_business(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other\n")
    assert read_config({}, {}, tmp_path) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget = [", r"unstuck\.toml is not valid TOML"),
        ("budgte = 1", "there is no setting 'budgte'; the settings are budget, floor, probes, dir, fail-on, quiet"),
        ("budget = '0.1'", r"budget in .*unstuck\.toml is a number; got '0.1'"),
        ("budget = true", "is a number; got True"),
        ("probes = 1", "probes in .* is true or false; got 1"),
        ("fail-on = 'healthy'", "is one of unknown, slow, stuck, diverged, wrong; got 'healthy'"),
        ("dir = 3", "is the path of a folder; got 3"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path, text, message):
    (tmp_path / "unstuck.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_config({}, {}, tmp_path)


@pytest.mark.parametrize(
    ("flags", "env", "message"),
    [
        ({"budget": "much"}, {}, "--budget is a number; got 'much'"),
        ({"fail_on": "bad"}, {}, "--fail-on is one of unknown, slow, .*; got 'bad'"),
        ({}, {"UNSTUCK_FLOOR": "x"}, "UNSTUCK_FLOOR is a number; got 'x'"),
        ({}, {"UNSTUCK_PROBES": "perhaps"}, "UNSTUCK_PROBES is true or false; got 'perhaps'"),
    ],
)
def test_a_wrong_flag_or_variable_is_refused_with_its_name(tmp_path, flags, env, message):
    with pytest.raises(UsageError, match=message):
        read_config(flags, env, tmp_path)
