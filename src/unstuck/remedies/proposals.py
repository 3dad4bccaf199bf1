"""Which remedies to try on a run: those that its findings call for, then a few that are always worth a try."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.difficulties.finding import Diagnosis
from unstuck.record import Run
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.rules import RULES, always_worth_a_try
from unstuck.trials.by_hand import NEEDS_A_PERSON, why_by_hand

#: Arms of one race at most.
_MOST = 18
#: Causes after which the program does not do what it means to: no learning rate cures them. Batches that are sorted are
#: among them, since their loss tells how well the last topic is learned by heart.
_WRONG = (
    "gradients-not-zeroed",
    "parameters-not-trained",
    "wrong-mode",
    "double-softmax",
    "wrong-output-activation",
    "shape-broadcast",
    "wrong-loss",
    "low-precision",
    "unshuffled-batches",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One arm to try.

    Attributes:
        remedies: What is changed, together.
        difficulty: The finding that calls for it; empty for one that is always worth a try.
    """

    remedies: tuple[Remedy, ...]
    difficulty: str = ""

    @property
    def label(self) -> str:
        """The remedies in words."""
        return " and ".join(remedy.label for remedy in self.remedies)


def propose(run: Run, diagnosis: Diagnosis) -> list[Proposal]:
    """Return the arms to try, the most promising first, each once.

    A mistake in the program is mended first: what copes with its effects would only hide it.

    Args:
        run: The watched run.
        diagnosis: What its record says.

    Returns:
        At most eighteen proposals; empty where no optimizer was seen.
    """
    if not run.optimizers:
        return []
    found: dict[tuple[Remedy, ...], Proposal] = {}
    causes = [finding for finding in diagnosis.findings if finding.role == "cause"]
    symptoms = [finding for finding in diagnosis.findings if finding.role == "symptom"]
    mistakes = [finding for finding in causes if finding.difficulty in (*_WRONG, *NEEDS_A_PERSON)]
    for finding in mistakes or [*causes, *symptoms]:
        if finding.difficulty in RULES and why_by_hand(finding) is None:
            for remedies in RULES[finding.difficulty](run, finding):
                found.setdefault(remedies, Proposal(remedies, finding.difficulty))
    if not mistakes:
        for remedies in always_worth_a_try(run):
            found.setdefault(remedies, Proposal(remedies))
    return list(found.values())[:_MOST]
