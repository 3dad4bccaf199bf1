"""``os.listdir`` and ``os.scandir`` over the two layers of a trial's files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

from unstuck.trials.inside import raw
from unstuck.trials.inside.overlay import Overlay

Function = Callable[..., Any]


class Listing:
    """Makes replacements. Each method gets the original and returns what stands for it.

    Args:
        overlay: The layers.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def listdir(self, original: Function) -> Function:
        """``listdir``: the names of both layers."""

        def listdir(path: Any = None) -> Any:
            names = self._merged(path)
            if names is None:
                return original(path if path is None else self._overlay.seen(path))
            return [os.fsencode(name) for name in names] if isinstance(path, bytes) else names

        return listdir

    def scandir(self, original: Function) -> Function:
        """``scandir``: entries of both layers; bytes and open folders are passed on as they are."""

        def scandir(path: Any = None) -> Any:
            names = None if isinstance(path, bytes) else self._merged(path)
            if names is None:
                return original(path if path is None or isinstance(path, bytes) else self._overlay.seen(path))
            folder = os.fspath("." if path is None else path)
            return _Entries(iter([_Entry(name, raw.join(folder, name), self._overlay) for name in names]))

        return scandir

    def _merged(self, path: Any) -> list[str] | None:
        """Return the names in a folder that has two layers, None where one of them holds all that there is."""
        overlay = self._overlay
        place = overlay.followed("." if path is None else path)
        if place is None or not (raw.is_folder(place[1]) or overlay.hides):
            return None
        return overlay.names(*place) if overlay.is_folder(place[0]) else None


class _Entries:
    """What ``os.scandir`` gives: an iterator that is closed after use."""

    def __init__(self, entries: Iterator[_Entry]) -> None:
        self._entries = entries

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._entries = iter(())


class _Entry(os.PathLike[str]):
    """What ``os.DirEntry`` is, under the path that the program knows.

    Attributes:
        name: Name in the folder.
        path: The folder's path, as the program gave it, and the name.
    """

    def __init__(self, name: str, path: str, overlay: Overlay) -> None:
        self.name = name
        self.path = path
        self._overlay = overlay

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the status of the entry."""
        seen = self._overlay.seen(self.path, follow=follow_symlinks)
        return (raw.stat if follow_symlinks else raw.lstat)(seen)

    def inode(self) -> int:
        """Return the number of the entry's file."""
        return self.stat(follow_symlinks=False).st_ino

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self._mode(follow_symlinks))

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file."""
        return stat.S_ISREG(self._mode(follow_symlinks))

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self._mode(False))

    def is_junction(self) -> bool:
        """Whether it is a junction, which Windows alone has."""
        return False

    def _mode(self, follow: bool) -> int:
        try:
            return self.stat(follow_symlinks=follow).st_mode
        except FileNotFoundError:
            return 0
