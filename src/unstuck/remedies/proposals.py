"""Which remedies to try on a run: those that its findings call for, then a few that are always worth a try."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from unstuck.difficulties.diagnosis import cases_of
from unstuck.difficulties.figures import number
from unstuck.difficulties.finding import Diagnosis, Finding
from unstuck.record import Run
from unstuck.remedies.activation import Activation
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.initialisation import Initialise
from unstuck.remedies.input_scaling import ScaleInputs
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.mode import TrainMode
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.normalisation import Normalise
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.output import DropActivation
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.precision import Precision
from unstuck.remedies.remedy import Remedy
from unstuck.remedies.schedule import Schedule
from unstuck.remedies.shapes import SameShape
from unstuck.remedies.shuffling import Shuffle
from unstuck.remedies.sites import hidden
from unstuck.remedies.target_scaling import ScaleTargets
from unstuck.remedies.unfreeze import Unfreeze
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.remedies.widening import Widen
from unstuck.remedies.zeroing import Zeroing
from unstuck.trials.by_hand import NEEDS_A_PERSON

#: Arms of one race at most.
_MOST = 18
#: Optimizers whose steps do not shrink with the gradient.
_ADAPTIVE = (
    "Adam",
    "AdamW",
    "NAdam",
    "RAdam",
    "Adamax",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Rprop",
    "Muon",
    "Adafactor",
)
_SATURATING = ("sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign")
#: Learning rate that Adam is tried with: torch's default.
_ADAM = 1e-3
#: The same for the first steps of Rprop, which finds its own from there on.
_RPROP = 1e-2


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
        for remedies in _CALLED_FOR.get(finding.difficulty, _nothing)(run, finding):
            found.setdefault(remedies, Proposal(remedies, finding.difficulty))
    if not mistakes:
        for remedies in _always(run):
            found.setdefault(remedies, Proposal(remedies))
    return list(found.values())[:_MOST]


Arms = Iterable[tuple[Remedy, ...]]


def _nothing(run: Run, finding: Finding) -> Arms:
    return ()


def _one(*remedies: Remedy) -> Callable[[Run, Finding], Arms]:
    """Return a rule that proposes each of some remedies alone, whatever the run is."""
    return lambda run, finding: [(remedy,) for remedy in remedies]


def _always(run: Run) -> Iterator[tuple[Remedy, ...]]:
    yield (LearningRate(3.0),)
    yield (LearningRate(1 / 3),)
    yield from _other_optimizer(run)
    yield (Schedule("cosine", 0.05),)
    if sum(layer.activation in _SATURATING for layer in run.layers) > 1:
        # Rectifiers do not shrink the gradient, so that the rate that was right for the others is too large for them.
        yield (Activation("relu"), Initialise("he"), LearningRate(1 / 3))


def _other_optimizer(run: Run) -> Iterator[tuple[Remedy, ...]]:
    """Propose Adam in the place of gradient descent, and momentum where there is none; what else fits the run first.

    Gradient descent is not proposed in the place of Adam: the record does not say at which rate, and a rate that Adam's
    steps fit would have to be searched for, arm by arm.
    """
    optimizer = run.optimizers[0]
    if optimizer.name == "LBFGS":
        return
    if optimizer.name != "Rprop" and _full_batch(run):
        yield (Exchange("Rprop", _RPROP),)  # it goes by signs, which batches that change would flip
    if optimizer.name == "Adam" and any(group.get("weight_decay") for group in optimizer.groups):
        yield (Exchange("AdamW"),)  # Adam divides the decay by the gradient's size too
    if optimizer.name in _ADAPTIVE:
        return
    yield (Exchange("Adam", _ADAM),)
    if optimizer.name == "SGD" and not optimizer.groups[0].get("momentum"):
        yield (Momentum(0.9),)


def _full_batch(run: Run) -> bool:
    """Whether every step of the first optimizer sees the same data, as far as the probes show."""
    return any(case.full_batch for case in cases_of(run) if case.optimizer.index == run.optimizers[0].index)


def _larger_steps(run: Run, finding: Finding) -> Arms:
    for factor in (10.0, 100.0, 1000.0):  # the race goes on from the best of them
        yield (LearningRate(factor),)
    yield from _other_optimizer(run)


def _smaller_steps(run: Run, finding: Finding) -> Arms:
    for factor in (0.1, 0.01, 0.001):
        yield (LearningRate(factor),)
    yield (Clipping(1.0),)
    yield (Schedule("constant", 0.1),)


def _saddle(run: Run, finding: Finding) -> Arms:
    if run.optimizers[0].name == "SGD" and not run.optimizers[0].groups[0].get("momentum"):
        yield (LearningRate(10.0), Momentum(0.9))
    yield (LearningRate(10.0),)
    yield from _other_optimizer(run)
    yield (_initialisation(run),)
    yield (LearningRate(30.0),)
    yield from _without_decay(run, finding)
    yield from _wider(run)


def _without_decay(run: Run, finding: Finding) -> Arms:
    decay = max((float(group.get("weight_decay") or 0.0) for group in run.optimizers[0].groups), default=0.0)
    if decay > 0:
        yield (WeightDecay(0.0),)
        if finding.difficulty == "weight-decay-too-strong":
            yield (WeightDecay(decay / 50),)


def _signal(run: Run, finding: Finding) -> Arms:
    """Remedies for a signal that fades or grows on its way through the layers."""
    yield (_initialisation(run),)
    yield (Initialise("lsuv"),)
    if any(layer.activation in _SATURATING for layer in run.layers):
        yield (Activation("relu"), Initialise("he"))
    yield (Normalise("batch"),)
    yield from _other_optimizer(run)


def _growth(run: Run, finding: Finding) -> Arms:
    yield (_initialisation(run),)
    yield (Clipping(1.0),)
    yield (Initialise("lsuv"),)
    yield (LearningRate(0.1),)
    yield (Normalise("batch"),)


def _start(run: Run, finding: Finding) -> Arms:
    yield (_initialisation(run),)
    yield (Initialise("default"),)
    yield (Initialise("lsuv"),)
    yield (Normalise("batch"),)


def _dead(run: Run, finding: Finding) -> Arms:
    yield (Initialise("he"),)
    yield (LearningRate(0.1),)
    yield (Activation("leaky_relu"),)
    yield (Activation("leaky_relu"), LearningRate(0.1))
    yield (Initialise("he"), LearningRate(0.1))


def _saturated(run: Run, finding: Finding) -> Arms:
    yield (_initialisation(run),)
    yield (ScaleInputs(),)
    yield (Normalise("batch"),)
    yield (Activation("relu"), Initialise("he"))


def _scales(run: Run, finding: Finding) -> Arms:
    if "target" in finding.sentence.lower():
        yield (ScaleTargets(),)
        yield (ScaleTargets(), LearningRate(10.0))
    yield (ScaleInputs(),)
    yield (ScaleInputs(), LearningRate(10.0))
    yield (ScaleInputs(), ScaleTargets())


def _flat(run: Run, finding: Finding) -> Arms:
    yield (ScaleInputs(),)
    yield (ScaleInputs(), ScaleTargets())
    yield (_initialisation(run),)
    yield from _other_optimizer(run)
    yield (LearningRate(10.0),)
    yield from _wider(run)


def _wider(run: Run) -> Arms:
    """More units leave fewer flat places to be caught in; last, since a step then costs more."""
    if any(layer.kind in ("linear", "conv") for layer in hidden(run)):
        yield (Widen(2),)


def _unreached(run: Run, finding: Finding) -> Arms:
    yield (TrainAll(),)
    yield (Unfreeze(),)


def _output(run: Run, finding: Finding) -> Arms:
    where = finding.where
    if where.file and where.line:
        name = finding.evidence.get("activation") or finding.evidence.get("before it")
        yield (DropActivation(where.file, where.line, str(name) if name else ""),)


def _fitting_loss(run: Run, finding: Finding) -> Arms:
    text = " ".join((finding.sentence, *finding.remedies))
    for name in ("cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss"):
        if name in text:
            yield (ExchangeLoss(name),)
    factor = number(finding.evidence.get("factor"))
    if factor > 0:
        yield (LearningRate(1 / factor),)  # a factor of the loss is one of the gradient


def _digits(run: Run, finding: Finding) -> Arms:
    """More digits where 16 bits are seen, or float64 where the finding is about weights in float32."""
    seen = [probe.m["precision"] for probe in run.probes if "precision" in probe.m]
    if not any(measured.get("low") for measured in seen):
        if finding.difficulty == "low-precision":
            yield (Precision("float64"),)
        return
    yield (Precision("float32"),)
    if any(measured.get("autocast") == "float16" for measured in seen):
        yield (Precision("bfloat16"),)


def _not_finite(run: Run, finding: Finding) -> Arms:
    yield from _digits(run, finding)
    yield from _smaller_steps(run, finding)


def _initialisation(run: Run) -> Initialise:
    """Return the initialisation that fits the activations: Glorot for those that saturate, else He."""
    names = [layer.activation for layer in run.layers if layer.activation]
    saturating = sum(name in _SATURATING for name in names)
    return Initialise("glorot" if names and saturating > len(names) / 2 else "he")


_CALLED_FOR: dict[str, Callable[[Run, Finding], Arms]] = {
    "step-too-large": _smaller_steps,
    "step-too-small": _larger_steps,
    "saddle": _saddle,
    "flat-region": _flat,
    "weight-decay-too-strong": _without_decay,
    "vanishing-gradient": _signal,
    "unstable-gradient": _signal,
    "exploding-gradient": _growth,
    "bad-initialisation": _start,
    "saturated-units": _saturated,
    "dead-units": _dead,
    "unscaled-inputs": _scales,
    "not-finite": _not_finite,
    "low-precision": _digits,
    "gradients-not-zeroed": _one(Zeroing()),
    "parameters-not-trained": _unreached,
    "wrong-mode": _one(TrainMode()),
    "double-softmax": _output,
    "wrong-output-activation": _output,
    "shape-broadcast": _one(SameShape()),
    "wrong-loss": _fitting_loss,
    "unshuffled-batches": _one(Shuffle()),
}

#: Causes after which the program does not do what it means to: no learning rate cures them.
_WRONG = (
    "gradients-not-zeroed",
    "parameters-not-trained",
    "wrong-mode",
    "double-softmax",
    "wrong-output-activation",
    "shape-broadcast",
    "wrong-loss",
    "low-precision",
)
