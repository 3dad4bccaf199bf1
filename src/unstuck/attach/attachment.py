"""A session hung into this process, and taken out again at its end."""

from __future__ import annotations

import atexit
import sys
from time import perf_counter
from types import TracebackType

from unstuck.attach.hooks import Hooks
from unstuck.attach.printed import note
from unstuck.attach.session import Session
from unstuck.settings import Settings


class Attachment:
    """A session hung into torch.

    Args:
        settings: What the user set.
        late: Whether the program may have made its modules already.
        began: Clock reading before unstuck was imported into the program.
    """

    def __init__(self, settings: Settings, late: bool = False, began: float | None = None) -> None:
        self.session = Session(settings, late, began)
        self._hooks = Hooks(self.session)
        self._hooks.install()
        self.ended = False
        self.session.budget.attached(perf_counter() - self.session.start)

    def end(self, reason: str = "exit", exception: str | None = None) -> None:
        """Take the hooks out and write the last lines; a second call does nothing."""
        if not self.ended:
            self.ended = True
            self._hooks.remove()
            self.session.finish(reason, exception)


def install(settings: Settings, began: float | None = None) -> Attachment:
    """Watch this process until it ends (called in a program started by ``unstuck run``).

    Args:
        settings: What the user set.
        began: Clock reading before unstuck was imported into the program.

    Returns:
        The attachment, which ends by itself.
    """
    attachment = Attachment(settings, began=began)
    if settings.printed:
        note(lambda: attachment.session.steps_of(0), settings.run_dir / "printed.jsonl")
    previous = sys.excepthook
    raised: list[str] = []

    def note_exception(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        raised.append(f"{kind.__name__}: {value}"[:500])
        previous(kind, value, trace)

    sys.excepthook = note_exception
    atexit.register(lambda: attachment.end("exception" if raised else "exit", raised[0] if raised else None))
    return attachment
