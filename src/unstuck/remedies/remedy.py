"""What a remedy is: a change that a trial makes from outside, and the edit that a person would make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement, render

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Edit:
    """What a person would write in the program.

    Attributes:
        sentence: The edit in words, with its place: ``write lr=1.0 at train.py:31 (it is 0.1)``.
        file: The file, as the record has it; None where the place is not known.
        line: The line.
        replacements: The edit as pieces of the source, where that is plain enough to be edited by a program; else none.
    """

    sentence: str
    file: str | None = None
    line: int | None = None
    replacements: tuple[Replacement, ...] = ()

    @property
    def diff(self) -> str:
        """The edit as a unified diff; empty where it takes a person."""
        return render(self.replacements)


def merged(edits: Sequence[Edit]) -> str:
    """Return the edits of several remedies as one unified diff.

    Args:
        edits: The edits.

    Returns:
        The diff; empty where one of them takes a person, or where they contradict each other: half of them would be
        another remedy.
    """
    whole = all(edit.replacements for edit in edits)
    return render(piece for edit in edits for piece in edit.replacements) if whole else ""


@dataclass(frozen=True)
class Remedy(ABC):
    """A change to a run. Subclasses are frozen dataclasses whose fields are JSON values.

    A remedy is made twice from the same JSON: in the driver, which names it and writes the edit, and in the process of
    the trial, where :meth:`apply` puts it into effect. ``apply`` must not use the global random generators: arms of a
    trial share their random numbers.
    """

    #: Name in JSON and in the report, as a difficulty has one.
    kind: ClassVar[str]
    #: Whether the training loss means something else in the treated arm, so that arms are compared by their errors.
    changes_loss: ClassVar[bool] = False
    #: Whether another remedy of this kind finds nothing to change where this one does not.
    alike: ClassVar[bool] = True
    #: Whether a step means something else, so that arms are compared by time alone.
    changes_step: ClassVar[bool] = False

    @property
    @abstractmethod
    def label(self) -> str:
        """The remedy in a few words: ``learning rate x 10``."""

    @abstractmethod
    def apply(self, stage: Stage) -> None:
        """Put it into effect, in the process of a trial, before the program's first line that uses torch.

        Args:
            stage: What it may take hold of.
        """

    @abstractmethod
    def edit(self, run: Run) -> Edit:
        """Return what a person would write.

        Args:
            run: The watched run that the remedy was proposed for.
        """

    def to_json(self) -> dict[str, Any]:
        """Return the remedy as JSON (inverse of ``remedies.from_json``)."""
        return {"kind": self.kind, **asdict(self)}
