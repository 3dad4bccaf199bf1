"""Remedies for programs that do not do what they mean to."""

from __future__ import annotations

from unstuck.difficulties.figures import number
from unstuck.difficulties.finding import Finding
from unstuck.record import Run
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.output import DropActivation
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.precision import Precision
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.rules.rule import Arms, Rule
from unstuck.remedies.unfreeze import Unfreeze


def one(*remedies: Remedy) -> Rule:
    """Return a rule that proposes each of some remedies alone, whatever the run is."""
    return lambda run, finding: [(remedy,) for remedy in remedies]


def unreached(run: Run, finding: Finding) -> Arms:
    """Propose to train all parameters, and those that are frozen."""
    yield (TrainAll(),)
    yield (Unfreeze(),)


def output(run: Run, finding: Finding) -> Arms:
    """Propose to take away the activation that the finding points at."""
    where = finding.where
    if where.file and where.line:
        name = finding.evidence.get("activation") or finding.evidence.get("before it")
        yield (DropActivation(where.file, where.line, str(name) if name else ""),)


def fitting_loss(run: Run, finding: Finding) -> Arms:
    """Propose the loss that the finding names, and a rate that makes up for a factor of the loss."""
    text = " ".join((finding.sentence, *finding.remedies))
    for name in ("cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss"):
        if name in text:
            yield (ExchangeLoss(name),)
    factor = number(finding.evidence.get("factor"))
    if factor > 0:
        yield (LearningRate(1 / factor),)  # a factor of the loss is one of the gradient


def digits(run: Run, finding: Finding) -> Arms:
    """More digits where 16 bits are seen, or float64 where the finding is about weights in float32."""
    seen = [probe.m["precision"] for probe in run.probes if "precision" in probe.m]
    if not any(measured.get("low") for measured in seen):
        if finding.difficulty == "low-precision":
            yield (Precision("float64"),)
        return
    yield (Precision("float32"),)
    if any(measured.get("autocast") == "float16" for measured in seen):
        yield (Precision("bfloat16"),)
