"""Standing in for a function of torch that torch itself calls again, by name, while it runs."""

from __future__ import annotations

import threading


class Guard(threading.local):
    """Whether this thread is inside a function that stands for one of torch's: what it calls is torch's own."""

    inside = False
