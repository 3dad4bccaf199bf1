"""One file per remedy: the change that a trial makes, and the edit that a person would make."""

from __future__ import annotations

from unstuck.remedies.catalogue import REMEDIES as REMEDIES
from unstuck.remedies.catalogue import from_json as from_json
from unstuck.remedies.remedy import Edit as Edit
from unstuck.remedies.remedy import Remedy as Remedy
from unstuck.remedies.remedy import merged as merged
