"""A function that cannot be run elsewhere is refused in one sentence that names what is in the way."""

from __future__ import annotations

import functools
import re
import threading

import pytest

from tests.fixing.programs import train
from unstuck.errors import UsageError
from unstuck.fixing.packing import pack
from unstuck.fixing.refusal import check, name_of


def needs(rate, /, epochs, *more, width=3, **others): ...


def generates():
    yield 1


async def waits(): ...


class Trainer:
    def __init__(self):
        self.guard = threading.Lock()

    def train(self): ...


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (None, "got NoneType: None; the function itself is wanted: unstuck.fix(train), not unstuck.fix(train())"),
        (
            needs,
            "fix calls needs without arguments, and it needs rate, epochs; for example: unstuck.fix(lambda: needs(",
        ),
        (functools.partial(needs, 0.1), "and it needs epochs;"),
        (generates, "generates is a generator, which does nothing when it is called"),
        (waits, "waits is a coroutine, which does nothing"),
    ],
)
def test_what_cannot_be_called_as_it_is(function, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        check(function)


@pytest.mark.parametrize(
    "function", [train, functools.partial(needs, 0.1, 3), lambda: needs(1, 2), Trainer().train, int]
)
def test_what_can(function):
    check(function)


def test_names():
    assert name_of(train) == name_of(functools.partial(functools.partial(train), steps=2)) == "train"
    assert name_of(lambda: 1) == "lambda"
    assert name_of(Trainer().train) == "train"


def test_what_cannot_be_copied_is_named(tmp_path):
    stream = (i for i in range(3))
    with (tmp_path / "log.txt").open("w") as log:

        def note():
            print(next(stream), file=log)

        def deep():
            note()

        def shallow():
            print(file=log)

        for function, said in (
            (
                shallow,
                "shallow cannot run in a process of its own: it uses 'log', a TextIOWrapper, which cannot be copied",
            ),
            (deep, "deep cannot run in a process of its own: it uses 'log', a TextIOWrapper"),
            (
                functools.partial(print, stream),
                "it uses 'argument 1', a generator, which cannot be copied (cannot pickle",
            ),
            (Trainer().train, "it uses 'guard', a lock, which cannot be copied"),
        ):
            with pytest.raises(UsageError, match=re.escape(said)) as error:
                pack(function)
            assert str(error.value).endswith("; make it inside the function")
            assert "\n" not in str(error.value)
