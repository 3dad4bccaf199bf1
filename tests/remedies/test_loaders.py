"""Remedies of the training's DataLoader: shuffled, regrouped, with workers; evaluations find theirs as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler, TensorDataset

from tests.remedies.training import run_of, staged
from unstuck.remedies.batch_size import BatchSize
from unstuck.remedies.shuffling import Shuffle
from unstuck.remedies.workers import Workers

DATA = TensorDataset(torch.arange(20.0).reshape(20, 1))
IN_ORDER = [list(range(start, start + 4)) for start in range(0, 20, 4)]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(torch.arange(8.0).reshape(8, 1))


def batches(loader):
    """Return the examples of an epoch, batch by batch, taken with whatever grad mode is on."""
    return [[int(x) for x in batch[0].flatten()] for batch in loader]


def epoch(loader):
    """Train for an epoch; return its batches."""
    net = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(net.parameters(), 1e-6)
    seen = []
    for batch in loader:
        inputs = batch[0] if isinstance(batch, list) else batch
        net(inputs.reshape(-1, 1)).sum().backward()
        optimizer.step()
        seen.append([int(x) for x in inputs.flatten()])
    return seen


def test_the_training_is_shuffled_anew_at_every_epoch_and_an_evaluation_is_not():
    with staged(Shuffle()) as stage:
        loader = DataLoader(DATA, 4)
        first, second = epoch(loader), epoch(loader)
        with torch.no_grad():
            assert batches(loader) == batches(DataLoader(DATA, 4)) == IN_ORDER
    assert first != second != IN_ORDER
    assert [len(batch) for batch in first] == [4] * 5
    assert sorted(x for batch in first for x in batch) == list(range(20))
    assert stage.applied == {"shuffling"}
    assert batches(loader) == IN_ORDER  # torch is as it was


def test_shuffling_leaves_the_global_random_numbers_alone_and_depends_on_the_seed():
    def run(*remedies, seed=0):
        with staged(*remedies):
            torch.manual_seed(seed)
            return epoch(DataLoader(DATA, 4)), torch.rand(1).item()

    (plain, rest), (one, with_shuffle), (again, _), (other, _) = (
        run(),
        run(Shuffle()),
        run(Shuffle()),
        run(Shuffle(), seed=1),
    )
    assert rest == with_shuffle
    assert plain == IN_ORDER
    assert one == again != other


def test_single_examples_are_shuffled_where_the_loader_makes_no_batches():
    with staged(Shuffle()):
        order = [x for batch in epoch(DataLoader(DATA, None)) for x in batch]
    assert sorted(order) == list(range(20)) != order


@pytest.mark.parametrize(
    ("loader", "why"),
    [
        (lambda: DataLoader(DATA, 4, shuffle=True), "shuffles already"),
        (lambda: DataLoader(DATA, 4, sampler=[3, 1, 2]), "sampler of its own"),
        (lambda: DataLoader(Stream(), 4), "stream"),
        (lambda: [[torch.ones(1)]], "no DataLoader feeds the training"),
    ],
)
def test_says_why_there_is_nothing_to_shuffle(loader, why):
    with staged(Shuffle()) as stage:
        epoch(loader())
    assert not stage.applied
    assert why in stage.why_not["shuffling"]


def test_batches_are_larger_in_training_alone_and_the_length_follows():
    with staged(BatchSize(2.0)) as stage:
        loader, test = DataLoader(DATA, 4), DataLoader(DATA, 4)
        assert len(loader) == 3  # a schedule asks before the first epoch
        assert [len(batch) for batch in epoch(loader)] == [8, 8, 4]
        with torch.no_grad():
            assert batches(test) == batches(loader) == IN_ORDER
        assert (len(loader), len(test)) == (3, 5)
        assert loader.batch_size == 4
    assert stage.applied == {"batch-size"}
    assert BatchSize(2.0).changes_step


def test_batches_hold_one_example_at_least_and_all_at_most_and_streams_are_regrouped_too():
    with staged(BatchSize(100.0)):
        assert len(epoch(DataLoader(DATA, 4, drop_last=True))) == 1
    with staged(BatchSize(0.1)):
        assert len(epoch(DataLoader(DATA, 4))) == 20
    with staged(BatchSize(2.0)):
        assert [len(batch) for batch in epoch(DataLoader(Stream(), 2))] == [4, 4]
    with staged(BatchSize(2.0)) as stage:
        epoch(DataLoader(DATA, batch_sampler=[[0, 1], [2, 3]]))
    assert "does not make its batches itself" in stage.why_not["batch-size"]


@pytest.mark.parametrize("order", [1, -1])
def test_shuffling_and_larger_batches_go_together(order):
    with staged(*(Shuffle(), BatchSize(2.0))[::order]) as stage:
        seen = epoch(DataLoader(DATA, 4, sampler=SequentialSampler(DATA)))
    assert [len(batch) for batch in seen] == [8, 8, 4]
    assert [x for batch in seen for x in batch] != list(range(20))
    assert stage.applied == {"shuffling", "batch-size"}


class Who(torch.utils.data.Dataset):
    """Every example is the number of the worker that loaded it, from 1; 0 for the program itself."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        worker = torch.utils.data.get_worker_info()
        return torch.tensor([float(worker.id + 1 if worker else 0)])


def test_workers_load_the_training_and_stay_for_the_next_epoch():
    with staged(Workers(2)) as stage:
        loader, test = DataLoader(Who()), DataLoader(Who())
        first = epoch(loader)
        workers = loader._iterator
        assert first == epoch(loader) == [[1], [2], [1], [2]]
        assert loader._iterator is workers is not None
        with torch.no_grad():
            assert batches(test) == [[0]] * 4
        assert test.num_workers == 0
        loader._iterator._shutdown_workers()
    assert stage.applied == {"workers"}


def test_says_why_there_is_no_work_for_workers():
    for loader, why in ((DataLoader(Stream(), 4), "stream"), ([[torch.ones(1)]], "no DataLoader")):
        with staged(Workers(2)) as stage:
            epoch(loader)
        assert why in stage.why_not["workers"]
        assert not stage.applied


SOURCE = """import torch
from torch.utils.data import DataLoader

train_loader = DataLoader(train, 32, pin_memory=True)
test_loader = DataLoader(test, 100, shuffle=False)
"""


def test_edits_name_the_line_and_write_the_diff(tmp_path):
    run = run_of(SOURCE, tmp_path)
    edit = Shuffle().edit(run)
    assert edit.sentence == "write shuffle=True at train.py:4"
    assert "+train_loader = DataLoader(train, 32, pin_memory=True, shuffle=True)" in edit.diff
    edit = BatchSize(4.0).edit(run)
    assert edit.sentence == "write batch_size=128 at train.py:4 (it has batch_size=32)"
    assert "+train_loader = DataLoader(train, 128, pin_memory=True)" in edit.diff
    edit = Workers(3).edit(run)
    assert "pin_memory=True, num_workers=3, persistent_workers=True)" in edit.diff
    assert (edit.file, edit.line) == ("train.py", 4)


def test_an_argument_that_is_written_is_replaced_and_a_variable_is_left_to_its_owner(tmp_path):
    only = "loader = torch.utils.data.DataLoader(\n    data, batch_size=size, shuffle=False\n)\n"
    run = run_of(only, tmp_path)
    assert "+    data, batch_size=size, shuffle=True" in Shuffle().edit(run).diff
    edit = BatchSize(0.5).edit(run)
    assert edit.sentence == "make batch_size 0.5 times what it is at train.py:1"
    assert not edit.diff
    assert not Shuffle().edit(run_of(only.replace("False", "flag"), tmp_path)).diff


def test_edits_say_where_in_words_where_the_line_is_not_known(tmp_path):
    two = "a = DataLoader(x)\nb = DataLoader(y)\n"
    for run in (run_of(two, tmp_path), run_of("x = 1\n", tmp_path), run_of()):
        edit = Shuffle().edit(run)
        assert edit.sentence == "write shuffle=True where the DataLoader that feeds the training is made"
        assert edit.line is None
        assert "where the training's DataLoader is made" in BatchSize(2.0).edit(run).sentence


def test_labels():
    assert BatchSize(4.0).label == "batch size x 4"
    assert BatchSize(0.5).label == "batch size / 2"
    assert Shuffle().label == "shuffled batches"
    assert Workers(4).to_json() == {"kind": "workers", "count": 4}
