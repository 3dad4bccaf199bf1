"""Each example does what its docstring says: the healthy ones learn, the stuck ones do not."""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name != "data.py")
GUESSING = math.log(10)  # digits
FREQUENCIES = 3.10  # characters of the sonnets, by their frequency alone


def losses(command: str) -> list[float]:
    """Return the losses that an example prints."""
    name, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    found = [re.fullmatch(r"epoch +\d+   loss ([\d.]+)   (?:test )?accuracy +[\d.]+%", line) for line in lines]
    assert all(found), lines
    return [float(match[1]) for match in found if match]


def has_mnist() -> bool:
    named = os.environ.get("UNSTUCK_MNIST")
    folder = Path(named) if named else EXAMPLES.parents[1] / "shared/data/mnist"
    return (folder / "train-images-idx3-ubyte.gz").is_file()


needs_mnist = pytest.mark.skipif(not has_mnist(), reason="no MNIST: set UNSTUCK_MNIST to a folder with its four files")


@pytest.mark.parametrize(
    ("command", "below"),
    [
        ("digits_healthy.py --epochs 8", 0.5),
        ("cnn.py --epochs 10", 0.5),
        ("transformer.py --epochs 2", 2.7),
        pytest.param("nielsen.py --layers 2 --eta 1 --lmbda 0 --epochs 200", 1.0, marks=needs_mnist),
        pytest.param("nielsen.py --eta 1 --lmbda 0 --epochs 600", 2.6, marks=needs_mnist),
    ],
)
def test_healthy_examples_learn(command: str, below: float) -> None:
    seen = losses(command)
    assert seen[-1] < below
    assert seen[-1] < 0.8 * seen[0]


@pytest.mark.parametrize(
    ("command", "low", "high"),
    [
        ("digits_stuck.py --epochs 8", GUESSING, GUESSING + 0.02),
        ("cnn_stuck.py --epochs 10", GUESSING, math.inf),
        ("transformer_stuck.py --epochs 3", FREQUENCIES - 0.1, FREQUENCIES + 0.2),
        pytest.param("nielsen.py --epochs 100", 3.244, 3.248, marks=needs_mnist),
    ],
)
def test_stuck_examples_do_not(command: str, low: float, high: float) -> None:
    assert low < losses(command)[-1] < high


def test_the_twins_of_the_digits_differ_in_the_model_alone() -> None:
    def rest(name: str) -> str:
        tree = ast.parse((EXAMPLES / name).read_text())
        kept = [node for node in tree.body[1:] if getattr(node, "name", "") != "build_model"]
        return ast.dump(ast.Module(kept, []))

    assert rest("digits_stuck.py") == rest("digits_healthy.py")


def test_the_twins_of_the_cnn_differ_in_one_line() -> None:
    def code(name: str) -> list[str]:
        text = (EXAMPLES / name).read_text()
        return text.split('"""', 2)[2].splitlines()

    missing = "            optimizer.zero_grad()"
    assert [line for line in code("cnn.py") if line != missing] == code("cnn_stuck.py")
    assert missing in code("cnn.py")


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_example_knows_of_unstuck(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert not re.search(r"(import|from) unstuck|set_num_threads", text)
    assert f"unstuck run -- python examples/{name}" in text, "the docstring says what unstuck says about it"
    assert len(text.splitlines()) <= 100
