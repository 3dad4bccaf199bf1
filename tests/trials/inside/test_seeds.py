"""The random numbers of a trial: shared by arms with one number, others for another, untouched for number 0."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Says, for each number of a trial, which random numbers a program gets that seeds itself, and one that does not.
# Forks, since importing torch takes longer than all the rest.
PROGRAM = """
import json, os, pickle, random, sys
from unstuck.trials.inside import seeds
import numpy as np
import torch

def program():
    chance = [random.random(), np.random.rand(), np.random.default_rng().random(), torch.rand(1).item()]
    chance += [np.random.RandomState().rand()]
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, str(random.random()).encode())
        os._exit(0)
    os.wait()
    chance.append(float(os.read(read, 100)))
    random.seed(7); np.random.seed(7); torch.manual_seed(7); torch.cuda.manual_seed_all(7)
    own = [random.random(), random.Random(7).random(), random.Random("seven").random(), np.random.rand()]
    own += [torch.rand(1).item(), torch.random.manual_seed(7).initial_seed() * 1.0]
    own += [np.random.default_rng(7).random(), np.random.RandomState(7).rand()]
    own += [np.random.RandomState(seed=[7, 8]).rand()]
    own += [np.random.Generator(np.random.PCG64(7)).random(), np.random.default_rng(np.random.SeedSequence(7)).random()]
    own += [torch.rand(1, generator=torch.Generator().manual_seed(7)).item(), torch.Generator().initial_seed() * 1.0]
    own += [float(np.random.Philox(key=7).random_raw() % 1000), np.random.RandomState(np.random.MT19937(7)).rand()]
    state, generator = np.random.RandomState(7), torch.Generator().manual_seed(7)
    kinds = [
        isinstance(state, np.random.RandomState), isinstance(np.random.mtrand._rand, np.random.RandomState),
        issubclass(type(state), np.random.RandomState), isinstance(torch.default_generator, torch.Generator),
        isinstance(generator, torch.Generator), not isinstance(3, torch.Generator), not isinstance(3, np.random.PCG64),
        pickle.loads(pickle.dumps(state)).rand() == state.rand(), len(torch.randperm(9, generator=generator)) == 9,
        pickle.loads(pickle.dumps(generator)).initial_seed() == generator.initial_seed(),
        pickle.loads(pickle.dumps(np.random.default_rng(7))).random() == np.random.default_rng(7).random(),
        pickle.loads(pickle.dumps(np.random.RandomState)) is np.random.RandomState,
    ]
    refused = []
    for wrong in (lambda: np.random.seed(-1), lambda: np.random.seed("a"), lambda: np.random.default_rng(-1)):
        try:
            wrong()
        except (ValueError, TypeError) as error:
            refused.append(type(error).__name__)
    return json.dumps({"own": own, "chance": chance, "kinds": [bool(kind) for kind in kinds], "refused": refused})

for name, seed, rank in (("plain", None, ""), ("0", 0, ""), ("1", 1, ""), ("1 again", 1, ""), ("rank", 0, "1")):
    sys.stdout.flush()
    if os.fork() == 0:
        os.environ["RANK"] = rank
        if seed is not None:
            seeds.shift(seed)
            seeds.shift_torch(seed)
        print(json.dumps([name, json.loads(program())]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


@pytest.fixture(scope="module")
def runs():
    return dict(json.loads(line) for line in lines(PROGRAM))


def lines(program):
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_number_0_changes_nothing_for_a_program_that_seeds_itself(runs):
    assert runs["0"]["own"] == runs["plain"]["own"]


def test_arms_with_one_number_share_all_their_random_numbers(runs):
    assert runs["1 again"] == runs["1"]


def test_another_number_gives_other_numbers_wherever_they_come_from(runs):
    keyed = 13  # a generator that is given its key, not a seed
    pairs = enumerate(zip(runs["0"]["own"], runs["1"]["own"], strict=True))
    assert [i for i, (a, b) in pairs if a == b] == [keyed]
    assert not set(runs["0"]["chance"]) & set(runs["1"]["chance"])


def test_ranks_of_one_trial_differ_where_the_program_seeds_nothing(runs):
    assert runs["rank"]["own"] == runs["0"]["own"]
    assert not set(runs["rank"]["chance"]) & set(runs["0"]["chance"])


def test_types_pickles_and_refusals_are_as_ever(runs):
    for run in runs.values():
        assert all(run["kinds"])
        assert run["refused"] == runs["plain"]["refused"]


def test_nothing_is_imported_that_the_program_does_not_import():
    program = """
import sys
from unstuck.trials.inside import seeds
seeds.shift(3)
assert not {"numpy", "torch"} & set(sys.modules)
import random
import numpy.random
print(numpy.random.mtrand._rand.rand(), random.random())
"""
    assert lines(program) == lines(program)
