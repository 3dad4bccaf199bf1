"""MNIST for the examples: from a folder that is there, or downloaded once into a cache and checked.

The four IDX files are looked for in ``$UNSTUCK_MNIST``, in ``../shared/data/mnist`` beside the project, and in
``~/.cache/unstuck/mnist``; what is missing is downloaded to the last.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import urllib.request
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
SHA256 = {
    "train-images-idx3-ubyte.gz": "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64",
    "train-labels-idx1-ubyte.gz": "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e",
    "t10k-images-idx3-ubyte.gz": "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341",
    "t10k-labels-idx1-ubyte.gz": "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6",
}
NEIGHBOUR = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
CACHE = Path("~/.cache/unstuck/mnist")


def load_mnist(split: str = "train") -> tuple[Tensor, Tensor]:
    """Return the images of ``train`` or ``t10k`` as ``[n, 784]`` in 0..1, and their labels as ``[n]``."""
    folder = find_mnist()
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
    return images.flatten(1).float() / 255, labels.long()


def find_mnist(mirror: str = MIRROR) -> Path:
    """Return a folder that holds the four files, which are downloaded from ``mirror`` where there is none."""
    if chosen := os.environ.get("UNSTUCK_MNIST"):
        folder = Path(chosen).expanduser()
        if missing := [name for name in SHA256 if not (folder / name).is_file()]:
            raise SystemExit(f"UNSTUCK_MNIST={folder} has no {', '.join(missing)}; unset it to download MNIST")
        return folder
    if all((NEIGHBOUR / name).is_file() for name in SHA256):
        return NEIGHBOUR
    cache = CACHE.expanduser()
    for name, digest in SHA256.items():
        if not (cache / name).is_file():
            download(mirror + name, cache / name, digest)
    return cache


def download(url: str, path: Path, sha256: str) -> None:
    """Fetch ``url`` with a progress bar; ``path`` appears only when it is whole and its checksum is right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=30) as response, part.open("wb") as file, bar:
            size = response.headers.get("Content-Length")
            task = bar.add_task(path.name, total=int(size) if size else None)
            while chunk := response.read(1 << 16):
                digest.update(chunk)
                bar.update(task, advance=file.write(chunk))
        if digest.hexdigest() != sha256:
            raise SystemExit(f"{url} is not the file expected: its SHA-256 is {digest.hexdigest()}, not {sha256}")
        part.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise SystemExit(
            f"MNIST could not be downloaded from {url}: {error}. "
            f"Put its four .gz files in {path.parent}, or name their folder: UNSTUCK_MNIST=/path/to/mnist"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def read_idx(path: Path) -> Tensor:
    """Return the array of bytes in a gzip-compressed IDX file: two zeros, type 8, number of dimensions, their sizes."""
    content = gzip.decompress(path.read_bytes())
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"{path} is not an IDX file of bytes: it starts with {content[:4].hex()}")
    dims = content[3]
    shape = np.frombuffer(content, ">u4", dims, offset=4)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(*shape).copy())
