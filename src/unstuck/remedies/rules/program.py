"""Remedies for programs that do not do what they mean to."""

from __future__ import annotations

import re

from unstuck.difficulties.figures import number
from unstuck.difficulties.finding import Finding
from unstuck.record import Run
from unstuck.remedies.labels import MapLabels
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.output import DropActivation
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.precision import Precision
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.rules.rule import Arms, Rule
from unstuck.remedies.softmax import MendSoftmax
from unstuck.remedies.unfreeze import Unfreeze

_LOSSES = re.compile(r"\b(cross_entropy|binary_cross_entropy_with_logits|mse_loss|l1_loss)\b")


def one(*remedies: Remedy) -> Rule:
    """Return a rule that proposes each of some remedies alone, whatever the run is."""
    return lambda run, finding: [(remedy,) for remedy in remedies]


def unreached(run: Run, finding: Finding) -> Arms:
    """Propose to train all parameters, and those that are frozen."""
    yield (TrainAll(),)
    yield (Unfreeze(),)


def output(run: Run, finding: Finding) -> Arms:
    """Propose to take away the activation that the finding points at, or to mend a softmax that is meant otherwise."""
    where = finding.where
    if where.file and where.line:
        name = finding.evidence.get("activation") or finding.evidence.get("before it")
        if name in ("softmax", "log_softmax") and finding.difficulty == "wrong-output-activation":
            classes = finding.evidence.get("classes", 1 if "dim" in finding.evidence else None)
            yield (MendSoftmax(where.file, where.line, str(name), classes),)
            return
        yield (DropActivation(where.file, where.line, str(name) if name else ""),)


def fitting_loss(run: Run, finding: Finding) -> Arms:
    """Propose the loss that the finding names, labels that fit, and a rate that makes up for a factor of the loss."""
    low, high = (number(finding.evidence.get(key)) for key in ("smallest target", "largest target"))
    if low < high:
        yield (MapLabels(low, high),)
        return
    text = " ".join((finding.sentence, *finding.remedies))
    for name in _LOSSES.findall(text):
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
