"""One file per difficulty: record -> finding. No torch hooks, no rendering."""

from __future__ import annotations

from unstuck.difficulties.catalogue import DIFFICULTIES as DIFFICULTIES
from unstuck.difficulties.catalogue import Difficulty as Difficulty
from unstuck.difficulties.diagnosis import diagnose as diagnose
