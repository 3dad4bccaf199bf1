"""MNIST comes from a folder or from the network, whole and checked or not at all."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import socket
import struct
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
import torch

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture
def data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_data", Path(__file__).parents[2] / "examples" / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Handler(SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        pass


class Mirror:
    """A web server on this machine with four small files in MNIST's format."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.images = torch.arange(3 * 28 * 28, dtype=torch.uint8).reshape(3, 28, 28)
        for name in NAMES:
            content = idx(self.images) if "images" in name else idx(torch.tensor([7, 0, 9], dtype=torch.uint8))
            (folder / name).write_bytes(content)
        self.sha256 = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES}
        self.asked: list[str] = []
        handler = type("OneMirror", (Handler,), {"asked": self.asked})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def idx(array: torch.Tensor) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.numpy().tobytes())


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    mirror = Mirror(tmp_path / "mirror")
    yield mirror
    mirror.close()


@pytest.fixture(autouse=True)
def alone(data: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no MNIST yet."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("UNSTUCK_MNIST", raising=False)
    monkeypatch.setattr(data, "NEIGHBOUR", tmp_path / "neighbour")


def test_downloads_once_then_reads_the_cache(
    data: ModuleType, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "SHA256", mirror.sha256)
    folder = data.find_mnist(mirror.url)
    assert folder == tmp_path / "home/.cache/unstuck/mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert len(mirror.asked) == 4
    assert data.find_mnist(mirror.url) == folder
    assert len(mirror.asked) == 4

    images, labels = data.load_mnist()
    assert torch.equal(images, mirror.images.reshape(3, 784) / 255)
    assert labels.tolist() == [7, 0, 9]
    assert labels.dtype == torch.int64


def test_the_bar_goes_to_stderr(
    data: ModuleType, mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.download(mirror.url + NAMES[1], tmp_path / "labels.gz", mirror.sha256[NAMES[1]])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "labels.gz" in printed.err
    assert "/" in printed.err  # bytes so far / bytes in all


def test_a_wrong_checksum_leaves_nothing(data: ModuleType, mirror: Mirror, tmp_path: Path) -> None:
    target = tmp_path / "cache" / NAMES[0]
    with pytest.raises(SystemExit, match=f"is not the file expected: its SHA-256 is {mirror.sha256[NAMES[0]]}"):
        data.download(mirror.url + NAMES[0], target, "0" * 64)
    assert list(target.parent.iterdir()) == []


def test_a_download_that_stops_early_leaves_nothing(data: ModuleType, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(SystemExit):
            data.download(f"http://127.0.0.1:{server.getsockname()[1]}/x.gz", tmp_path / "cache/x.gz", "0" * 64)
        thread.join()
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_a_network_the_error_says_what_to_do(data: ModuleType, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # nobody listens there once it is closed
    with pytest.raises(SystemExit, match=r"could not be downloaded from http://127.*refused.*UNSTUCK_MNIST="):
        data.find_mnist(f"http://127.0.0.1:{port}/")
    assert list((tmp_path / "home/.cache/unstuck/mnist").iterdir()) == []


def test_a_missing_file_on_the_mirror_is_named(data: ModuleType, mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nothing\.gz.*404"):
        data.download(mirror.url + "nothing.gz", tmp_path / "nothing.gz", "0" * 64)


def test_the_folder_named_wins(data: ModuleType, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSTUCK_MNIST", str(mirror.folder))
    assert data.find_mnist("http://127.0.0.1:1/") == mirror.folder
    (mirror.folder / NAMES[2]).unlink()
    with pytest.raises(SystemExit, match=f"has no {NAMES[2]}"):
        data.find_mnist("http://127.0.0.1:1/")


def test_the_neighbouring_folder_is_used(data: ModuleType, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "NEIGHBOUR", mirror.folder)
    assert data.find_mnist("http://127.0.0.1:1/") == mirror.folder


def test_a_file_that_is_not_idx_is_refused(data: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"<html>"))
    with pytest.raises(SystemExit, match="not an IDX file of bytes: it starts with 3c68746d"):
        data.read_idx(path)


def test_the_real_files(monkeypatch: pytest.MonkeyPatch, data: ModuleType) -> None:
    folder = Path(__file__).parents[3] / "shared/data/mnist"
    if not folder.is_dir():
        pytest.skip("no MNIST in ../shared/data/mnist")
    monkeypatch.setattr(data, "NEIGHBOUR", folder)
    for name, digest in data.SHA256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    images, labels = data.load_mnist()
    assert images.shape == (60_000, 784)
    assert images.mean().item() == pytest.approx(0.1307, abs=1e-4)
    assert images.std().item() == pytest.approx(0.3081, abs=1e-4)
    assert labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.load_mnist("t10k")[1].tolist()[:4] == [7, 2, 1, 0]
