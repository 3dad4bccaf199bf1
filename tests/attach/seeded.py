"""Runs a program with every generator seeded, also those that it leaves to chance: ``seeded.py FILE ARGUMENTS``."""

from __future__ import annotations

import random
import runpy
import sys
from pathlib import Path

import numpy as np
import torch

if __name__ == "__main__":
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
