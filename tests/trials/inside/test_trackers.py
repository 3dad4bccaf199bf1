"""Experiment trackers find an environment that keeps them silent, or in the trial's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unstuck.trials.inside import trackers


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Put the environment back after each test."""
    mine = dict(os.environ)
    monkeypatch.setattr(os, "environ", os.environ)
    yield
    os.environ.clear()
    os.environ.update(mine)


def test_trackers_are_off_and_their_folders_are_the_trials(tmp_path):
    os.environ["WANDB_MODE"] = "online"
    trackers.turn_off(tmp_path)
    assert os.environ["WANDB_MODE"] == os.environ["SWANLAB_MODE"] == "disabled"
    assert os.environ["MLFLOW_TRACKING_URI"] == (tmp_path / "trackers" / "mlruns").as_uri()
    for variable in ("TRACKIO_DIR", "WANDB_DIR", "COMET_OFFLINE_DIRECTORY"):
        folder = Path(os.environ[variable])
        assert folder.is_dir()
        assert folder.is_relative_to(tmp_path)


def test_downloads_are_still_possible(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    trackers.turn_off(tmp_path)
    assert "HF_HUB_OFFLINE" not in os.environ
