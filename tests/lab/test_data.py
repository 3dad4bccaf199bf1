"""MNIST from IDX files that the test writes, and digits where there are none."""

from __future__ import annotations

import builtins
import gzip
import struct

import numpy as np
import pytest
import torch

from unstuck.errors import UsageError
from unstuck.lab import data

PARTS = {"train-images-idx3": 12, "train-labels-idx1": 12, "t10k-images-idx3": 5, "t10k-labels-idx1": 5}


def write_mnist(folder, *, packed):
    """Write small files: pixel ``p`` of image ``i`` is ``(i + p) mod 256``, its label ``i mod 10``."""
    folder.mkdir(parents=True)
    for part, count in PARTS.items():
        shape = (count, 28, 28) if "images" in part else (count,)
        values = np.arange(count)[:, None] + (np.arange(784) if "images" in part else np.zeros(1, int))
        head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        content = head + (values % (256 if "images" in part else 10)).astype(np.uint8).tobytes()
        (folder / f"{part}-ubyte{'.gz' if packed else ''}").write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """A working folder and a home without MNIST."""
    monkeypatch.delenv("UNSTUCK_MNIST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(data, "TRAINING", 8)
    data.load_mnist.cache_clear()
    yield tmp_path / "here"
    data.load_mnist.cache_clear()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("folder", ["data/mnist", "data/MNIST/raw"])
def test_files_are_found_and_read(elsewhere, folder, packed):
    write_mnist(elsewhere / folder, packed=packed)
    images, labels = data.load_mnist()
    assert (images.shape, images.dtype, labels.dtype) == ((8, 784), torch.float32, torch.int64)
    assert torch.equal(images[3], (torch.arange(784) + 3).remainder(256) / 255)
    assert labels.tolist() == list(range(8))


def test_splits(elsewhere):
    write_mnist(elsewhere / "data/mnist", packed=True)
    assert data.load_mnist("validation")[1].tolist() == [8, 9, 0, 1]
    assert data.load_mnist("test")[1].tolist() == [0, 1, 2, 3, 4]


def test_the_named_folder_wins(elsewhere, monkeypatch):
    write_mnist(elsewhere / "data/mnist", packed=True)
    write_mnist(elsewhere / "other", packed=False)
    monkeypatch.setenv("UNSTUCK_MNIST", str(elsewhere / "other"))
    assert data.find_mnist() == elsewhere / "other"


def test_a_named_folder_without_it_is_said(elsewhere, monkeypatch):
    write_mnist(elsewhere / "data/mnist", packed=True)
    monkeypatch.setenv("UNSTUCK_MNIST", "nowhere")
    with pytest.raises(UsageError, match=r"UNSTUCK_MNIST=nowhere does not hold MNIST's four files"):
        data.find_mnist()


def test_one_missing_file_is_no_mnist(elsewhere):
    write_mnist(elsewhere / "data/mnist", packed=True)
    (elsewhere / "data/mnist/t10k-labels-idx1-ubyte.gz").unlink()
    assert data.find_mnist() is None
    with pytest.raises(UsageError, match=r"needs MNIST, .* UNSTUCK_MNIST="):
        data.load_mnist()


def test_images_are_mnist_where_it_is(elsewhere):
    write_mnist(elsewhere / "data/mnist", packed=True)
    whole, halved = data.load_images(6, 2), data.load_images(6, 2, halved=True)
    assert (whole.name, whole.note) == ("MNIST", "")
    assert (whole.inputs.shape, whole.labels.tolist()) == ((6, 784), [0, 1, 2, 3, 4, 5])
    assert (whole.test_inputs.shape, whole.test_labels.tolist()) == ((2, 784), [0, 1])
    image = whole.inputs[5].view(28, 28)
    assert halved.inputs.shape == (6, 196)
    assert halved.inputs[5].view(14, 14)[3, 9] == pytest.approx(float(image[6:8, 18:20].mean()))


def test_images_are_digits_where_it_is_not():
    digits = data.load_images(1700, 100)
    assert digits.inputs.shape == (1500, 64)
    assert digits.test_inputs.shape == (100, 64)
    assert float(digits.inputs.max()) == 1.0
    assert sorted(set(digits.labels.tolist())) == list(range(10))
    assert "scikit-learn" in digits.note


def test_neither_is_said(monkeypatch):
    imported = builtins.__import__

    def without(name, *rest, **options):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"UNSTUCK_MNIST=.*pip install scikit-learn"):
        data.load_images(10, 10)
