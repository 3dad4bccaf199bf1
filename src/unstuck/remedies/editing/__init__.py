"""Edits of the program's source: found by its syntax tree, kept as replacements, rendered as one diff at the end."""

from __future__ import annotations

from unstuck.remedies.editing.patch import render as render
from unstuck.remedies.editing.replacement import Replacement as Replacement
from unstuck.remedies.editing.source import Source as Source
from unstuck.remedies.editing.source import read_source as read_source
