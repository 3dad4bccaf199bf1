"""Where tests need MNIST, and it is not there, they are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.lab.data import find_mnist

_NEIGHBOUR = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"


def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the test where there is no MNIST; look beside the project too."""
    if find_mnist() is None:
        if not _NEIGHBOUR.is_dir():
            pytest.skip("MNIST is not on this machine")
        monkeypatch.setenv("UNSTUCK_MNIST", str(_NEIGHBOUR))
