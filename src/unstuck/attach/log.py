"""The record of this process, opened when there is something to write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from unstuck.record.writer import Writer


class Log:
    """Writes the records of one process; the first is ``start``.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Writer | None = None

    @property
    def opened(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, kind: str, **values: Any) -> None:
        """Append a record.

        Args:
            kind: Its kind, as ``unstuck.record.schema`` lists them.
            **values: What it holds.

        Raises:
            OSError: The disk is full, or the folder is gone.
        """
        self._open().write(kind, **values)

    def write_columns(self, kind: str, columns: Mapping[str, str], **values: Any) -> None:
        """Append a record, of which ``columns`` are JSON already."""
        self._open().write_columns(kind, columns, **values)

    def _open(self) -> Writer:
        if self._writer is None:
            rank = int(os.environ.get("RANK", "0") or 0)
            self._writer = Writer(self._folder, rank)
            cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
            self._writer.write(
                "start",
                pid=os.getpid(),
                rank=rank,
                world_size=int(os.environ.get("WORLD_SIZE", "1") or 1),
                torch=torch.__version__,
                device=torch.cuda.get_device_name() if cuda else "cpu",
                threads=torch.get_num_threads(),
                time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            )
        return self._writer
