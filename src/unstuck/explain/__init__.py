"""What each difficulty is: one Markdown page and one picture per difficulty, for the terminal and the documentation."""

from __future__ import annotations

from unstuck.explain.page import Page as Page
from unstuck.explain.page import names as names
from unstuck.explain.page import read_page as read_page
