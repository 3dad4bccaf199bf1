"""MNIST, where the machine has it, or scikit-learn's digits: nothing is downloaded by the lab."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from unstuck.errors import UsageError

#: Beginnings of the four files' names.
_PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
_FOLDERS = ("data/mnist", "data/MNIST/raw", "../shared/data/mnist", "~/.cache/unstuck/mnist", "~/data/MNIST/raw")
#: Images of the training file that are trained on; the last 10,000 are for validation, as in Nielsen's book.
TRAINING = 50_000
#: Images of scikit-learn's 1,797 digits that are trained on; the others are for tests.
_TRAINING_DIGITS = 1_500


@dataclass(frozen=True)
class Images:
    """Images of digits.

    Attributes:
        name: What they are, for the setting.
        inputs: Training images from 0 to 1, ``[n, pixels]``, float32.
        labels: Their labels, ``[n]``, int64.
        test_inputs: Test images.
        test_labels: Their labels.
        note: What differs from MNIST; empty where they are MNIST.
    """

    name: str
    inputs: Tensor
    labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    note: str = ""


def find_mnist() -> Path | None:
    """Return the folder that holds MNIST's four files, None where there is none.

    Looked for in ``$UNSTUCK_MNIST``, in the working folder (``data/mnist``, and where torchvision puts it), and in
    ``~/.cache/unstuck/mnist``, where ``examples/data.py`` downloads it to.

    Raises:
        UsageError: ``UNSTUCK_MNIST`` names a folder that does not hold them.
    """
    chosen = os.environ.get("UNSTUCK_MNIST")
    folders = [Path(name).expanduser() for name in ([chosen] if chosen else _FOLDERS)]
    found = next((folder for folder in folders if all(_file(folder, part) for part in _PARTS)), None)
    if found is None and chosen:
        raise UsageError(f"UNSTUCK_MNIST={chosen} does not hold MNIST's four files ({_PARTS[0]}-ubyte.gz and so on)")
    return found


@cache
def load_mnist(split: str = "train") -> tuple[Tensor, Tensor]:
    """Return images ``[n, 784]`` from 0 to 1, float32, and labels ``[n]``, int64.

    Args:
        split: ``train`` (50,000), ``validation`` (10,000) or ``test`` (10,000).

    Raises:
        UsageError: There is no MNIST on this machine.
    """
    folder = find_mnist()
    if folder is None:
        raise UsageError(
            "this experiment needs MNIST, and its four files (train-images-idx3-ubyte.gz and so on) are not in "
            "data/mnist; put them there, or name their folder: UNSTUCK_MNIST=/path/to/mnist unstuck lab ..."
        )
    images, labels = (_read(folder, part) for part in (_PARTS[2:] if split == "test" else _PARTS[:2]))
    part = {"train": slice(TRAINING), "validation": slice(TRAINING, None), "test": slice(None)}[split]
    return images[part].flatten(1).float() / 255, labels[part].long()


def load_images(training: int, test: int, *, halved: bool = False) -> Images:
    """Return the first images of MNIST, or of scikit-learn's digits where the machine has no MNIST.

    Args:
        training: How many to train on, at most.
        test: How many to test on, at most.
        halved: Whether squares of 2 by 2 pixels of MNIST are averaged, which leaves 14 by 14.

    Raises:
        UsageError: There is neither.
    """
    if find_mnist() is None:
        return _load_digits(training, test)
    (inputs, labels), (test_inputs, test_labels) = load_mnist(), load_mnist("test")
    inputs, test_inputs = inputs[:training], test_inputs[:test]
    if halved:
        inputs, test_inputs = _halve(inputs), _halve(test_inputs)
    name = f"MNIST{', averaged to 14 by 14 pixels' if halved else ''}"
    return Images(name, inputs, labels[:training], test_inputs, test_labels[:test])


def _load_digits(training: int, test: int) -> Images:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UsageError(
            "this experiment needs MNIST (UNSTUCK_MNIST=/path/to/mnist unstuck lab ...) or scikit-learn's digits "
            "(pip install scikit-learn), and neither is here"
        ) from error
    pixels, labels = load_digits(return_X_y=True)
    inputs, labels = torch.from_numpy(pixels).float() / 16, torch.from_numpy(labels).long()
    learn, rest = slice(min(training, _TRAINING_DIGITS)), slice(_TRAINING_DIGITS, _TRAINING_DIGITS + test)
    note = "There is no MNIST on this machine: these are scikit-learn's digits, 8 by 8 pixels."
    return Images("scikit-learn's digits", inputs[learn], labels[learn], inputs[rest], labels[rest], note)


def _halve(images: Tensor) -> Tensor:
    return functional.avg_pool2d(images.view(-1, 1, 28, 28), 2).flatten(1)


def _file(folder: Path, part: str) -> Path | None:
    return next((file for end in (".gz", "") if (file := folder / f"{part}-ubyte{end}").is_file()), None)


def _read(folder: Path, part: str) -> Tensor:
    file = _file(folder, part)
    assert file is not None
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    dims = content[3]
    shape = np.frombuffer(content, ">u4", dims, offset=4)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(*shape).copy())
