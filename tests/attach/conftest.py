"""What must hold after every test of the attachment."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def no_mode_stays_behind():
    yield
    if "torch" in sys.modules:
        import torch

        assert torch._C._len_torch_function_stack() == 0
