"""One thread for every test and every program that a test starts: the same numbers, and workers that do not fight."""

from __future__ import annotations

import os

# Before the first import of torch, which reads them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
