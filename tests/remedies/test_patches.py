"""Every edit as a patch: real ``git apply``, and then the program trains as under the remedy in a trial."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.remedies import plain_programs as programs
from tests.remedies.training import same, staged
from unstuck.attach import sources
from unstuck.attach.attachment import Attachment
from unstuck.record import Run, read_run
from unstuck.record.manifest import begin
from unstuck.remedies import Remedy, merged
from unstuck.remedies.activation import Activation
from unstuck.remedies.betas import Betas
from unstuck.remedies.clipping import Clipping
from unstuck.remedies.initialisation import Initialise
from unstuck.remedies.learning_rate import LearningRate
from unstuck.remedies.loss import ExchangeLoss
from unstuck.remedies.mode import TrainMode
from unstuck.remedies.momentum import Momentum
from unstuck.remedies.normalisation import Normalise
from unstuck.remedies.optimizer import Exchange
from unstuck.remedies.output import DropActivation
from unstuck.remedies.parameters import TrainAll
from unstuck.remedies.schedule import Schedule
from unstuck.remedies.shapes import SameShape
from unstuck.remedies.shuffling import Shuffle
from unstuck.remedies.unfreeze import Unfreeze
from unstuck.remedies.weight_decay import WeightDecay
from unstuck.remedies.workers import Workers
from unstuck.remedies.zeroing import Zeroing
from unstuck.settings import Settings

PROGRAMS = {name.lower(): text for name, text in vars(programs).items() if name.isupper()}


def line_of(name: str, words: str) -> int:
    return next(i for i, line in enumerate(PROGRAMS[name].splitlines(), 1) if words in line)


#: Programs and arms whose patched program ends with the weights of the trial, to the last bit.
EXACT: list[tuple[str, tuple[Remedy, ...]]] = [
    ("script", (LearningRate(10.0),)),
    ("script", (Momentum(0.9),)),
    ("script", (Momentum(0.9, nesterov=True),)),
    ("script", (WeightDecay(0.0),)),
    ("script", (Exchange("Adam", 1e-2),)),
    ("script", (Exchange("SGD", 0.5, {"momentum": 0.75, "nesterov": True}),)),
    ("script", (Clipping(0.01),)),
    ("script", (Schedule("cosine", 0.25),)),
    ("script", (Schedule("linear"),)),
    ("script", (Activation("relu"),)),
    ("script", (Normalise("layer"),)),
    ("script", (Normalise("batch"),)),
    ("script", (LearningRate(10.0), WeightDecay(0.0), Clipping(0.01), Schedule("cosine"))),
    ("script", (Exchange("Adam", 1e-2), WeightDecay(0.25), Activation("tanh"), Normalise("batch"))),
    ("main", (LearningRate(10.0),)),
    ("main", (WeightDecay(0.0),)),
    ("main", (Betas(0.5, 0.75),)),
    ("main", (Exchange("SGD", 0.5),)),
    ("main", (Clipping(0.01),)),
    ("main", (Activation("leaky_relu"),)),
    ("main", (Activation("relu"), Betas(0.5, 0.75), LearningRate(10.0))),
    ("parts", (LearningRate(10.0),)),
    ("parts", (Zeroing(),)),
    ("parts", (Clipping(0.01),)),
    ("parts", (TrainAll(),)),
    ("parts", (TrainMode(),)),
    ("parts", (DropActivation("train.py", line_of("parts", "nn.Softmax"), "softmax"),)),
    ("parts", (Zeroing(), TrainAll(), TrainMode())),
    ("parts", (Zeroing(), Clipping(0.01), TrainMode())),
    ("frozen", (LearningRate(10.0),)),
    ("frozen", (Unfreeze(),)),
    ("frozen", (SameShape(),)),
    ("frozen", (ExchangeLoss(mean=True),)),
    ("frozen", (SameShape(), ExchangeLoss(mean=True), Unfreeze(), LearningRate(0.5))),
    ("groups", (LearningRate(10.0),)),
    ("groups", (Betas(0.5, 0.75),)),
    ("groups", (Momentum(0.5),)),
    ("groups", (WeightDecay(0.25),)),
    ("groups", (Clipping(0.01),)),
    ("groups", (SameShape(),)),
]
#: An arm whose parameters stand in another order than in the trial, so that their norm is summed in another one.
REORDERED = (Zeroing(), Clipping(0.01), TrainAll(), TrainMode())
#: Those where other random numbers are drawn: the patched program only has to run.
RUNS: list[tuple[str, tuple[Remedy, ...]]] = [
    ("script", (Shuffle(),)),
    ("script", (Workers(1),)),
    ("script", (Initialise("he"),)),
    ("main", (Initialise("glorot"),)),
    ("main", (Shuffle(),)),
]


def named(case: object) -> str:
    return " and ".join(remedy.label for remedy in case) if isinstance(case, tuple) else str(case)


each_exact = pytest.mark.parametrize(("program", "arm"), EXACT, ids=named)


def trained(file: Path) -> list[torch.Tensor]:
    """Run a program and return what is trained in the end."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using a target size")  # the fault of one of them
        state = runpy.run_path(str(file), run_name="__main__")
    modules = [value for value in state.values() if isinstance(value, torch.nn.Module)]
    return [p.detach().clone() for module in modules for p in module.parameters()]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Path]:
    """A folder in which programs seem to be started."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_START", str(folder))
        patch.setattr(sys, "argv", ["train.py"])
        patch.chdir(folder)
        sources.shown.cache_clear()
        yield folder
    sources.shown.cache_clear()


@pytest.fixture(scope="module")
def watched(here):
    """The record of a program, watched once; its file is then that of the folder."""
    runs: dict[str, Run] = {}

    def watch(name: str) -> Run:
        file = here / "train.py"
        file.write_text(PROGRAMS[name])
        if name not in runs:
            settings = Settings(here / name, floor=60.0, budget=1.0)
            settings.run_dir.mkdir()
            begin(settings, ["python", "train.py"], "train")
            attachment = Attachment(settings)
            try:
                trained(file)
            finally:
                attachment.end()
            runs[name] = read_run(settings.run_dir)
            runs[name].manifest["started"] = "2100-01-01T00:00:00+00:00"  # the file is written anew every time
        return runs[name]

    return watch


def patched(run: Run, arm: tuple[Remedy, ...], here: Path) -> Path:
    """Return a copy of the program with the edits of an arm."""
    folder = here / "copy"
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_bytes((here / "train.py").read_bytes())
    diff = merged([remedy.edit(run) for remedy in arm])
    assert diff, [remedy.edit(run) for remedy in arm]
    subprocess.run(["git", "apply"], input=diff, text=True, cwd=folder, check=True)
    ast.parse((folder / "train.py").read_text())
    return folder / "train.py"


@each_exact
def test_the_patched_program_trains_as_in_the_trial(watched, here, program, arm):
    run = watched(program)
    with staged(*arm, total=run.steps) as stage:
        trial = trained(here / "train.py")
    assert stage.applied >= {remedy.kind for remedy in arm}
    assert not same(trial, trained(here / "train.py"))
    written = trained(patched(run, arm, here))
    mine = [weight for weight in trial if any(weight.shape == other.shape for other in written)]
    assert same(sorted_by_norm(mine), sorted_by_norm(written))


def test_an_arm_with_another_order_of_parameters_differs_by_rounding_only(watched, here):
    run = watched("parts")
    with staged(*REORDERED, total=run.steps):
        trial = trained(here / "train.py")
    written = trained(patched(run, REORDERED, here))
    assert not same(written, trained(here / "train.py"))
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(trial, written, strict=True))


def sorted_by_norm(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return weights in an order that does not depend on where a normalisation hangs in the network."""
    return sorted(weights, key=lambda weight: (weight.shape, float(weight.double().norm())))


@pytest.mark.parametrize(("program", "arm"), RUNS, ids=named)
def test_a_patched_program_that_draws_other_numbers_runs(watched, here, program, arm):
    run = watched(program)
    assert not same(trained(patched(run, arm, here)), trained(here / "train.py")) or isinstance(arm[0], Workers)


def test_an_edit_that_takes_a_person_leaves_the_whole_arm_to_one(watched):
    edits = [remedy.edit(watched("script")) for remedy in (LearningRate(10.0), Initialise("lsuv"))]
    assert edits[0].diff
    assert not edits[1].diff
    assert merged(edits) == ""


def test_edits_that_contradict_each_other_are_no_patch(watched):
    run = watched("script")
    assert merged([LearningRate(10.0).edit(run), LearningRate(3.0).edit(run)]) == ""
    assert merged([Exchange("Adam", 1.0).edit(run), Momentum(0.9).edit(run)]) == ""


def test_a_value_from_the_command_line_is_changed_there(watched):
    run = watched("main")
    line = line_of("main", "lr=args.lr")
    default = LearningRate(10.0).edit(run)
    at = line_of("main", '"--lr"')
    assert default.sentence == f"write default=0.1 for --lr at train.py:{at}, or run with --lr 0.1 (it is 0.01)"
    for given in (["--lr", "0.01"], ["--lr=0.01"], ["--l", "0.01"]):
        told = Run(run.path, {**run.manifest, "command": ["python", "train.py", *given]}, optimizers=run.optimizers)
        edit = LearningRate(10.0).edit(told)
        assert edit.diff == ""
        assert edit.sentence.startswith(f"run with --lr 0.1 (train.py:{line + 0} reads it from there)")
    adam = partial(Exchange("SGD", 0.5).edit)
    assert adam(told).diff == ""
    assert "and run with --lr 0.5" in adam(told).sentence
