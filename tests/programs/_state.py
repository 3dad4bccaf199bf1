"""Write the state at the end of a program to ``$PROGRAM_STATE``, so that two runs of it can be compared bit by bit."""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import torch

# A program seeds the generators that it uses. The others would start differently in every process, so they start here.
random.seed(0)
np.random.seed(0)


def save_state(**objects: Any) -> None:
    """Save the state of ``objects`` and of all random generators, if ``PROGRAM_STATE`` names a file.

    Args:
        **objects: Modules, optimizers, schedulers (anything with ``state_dict``), tensors and plain values, by name.
    """
    path = os.environ.get("PROGRAM_STATE")
    if not path:
        return
    state = {name: thing.state_dict() if hasattr(thing, "state_dict") else thing for name, thing in objects.items()}
    generators = {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "python": random.getstate()}
    torch.save({"objects": state, "generators": generators}, path)
