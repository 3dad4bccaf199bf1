"""Two layers of one tree of files: the user's, which a trial only reads, and its own above it, which it writes.

Everything here works on names. A file that goes by two names, through symbolic links of the user's, is one file to the
user and two to the trial as soon as it writes to one of them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any

from unstuck.trials.inside import raw

#: Links that are followed one after the other before it is a circle.
_MOST_LINKS = 40


class Overlay:
    """The two layers.

    Paths of the user's are called ``own``, those that hold what the trial wrote ``copy``. Functions that take ``path``
    take whatever the program passed: relative, as bytes, as a path object, or the number of an open file.

    Args:
        to: Folder of the copies.
        root: Folder whose files are kept under their relative names; others are kept under ``abs``.
        excluded: Beginnings of paths that are no business of ours. The longest of them and ``root`` decides.

    Attributes:
        away: Whether the process is in a folder of the upper layer, so that relative paths lead there.
        links: Whether the trial has made symbolic links.
    """

    def __init__(self, to: str, root: str, excluded: Iterable[str]) -> None:
        self.to = to
        self.root = root
        self.away = False
        self.links = False
        self._hidden: set[str] = set()
        rules = {**dict.fromkeys(excluded, True), f"{root.rstrip('/')}/": False, f"{to}/": False}
        self._rules = sorted(rules.items(), key=lambda rule: -len(rule[0]))

    # ------------------------------------------------------------------ names

    def place(self, path: Any) -> tuple[str, str] | None:
        """Return ``own`` and ``copy`` for a path, None for one that is no business of ours."""
        try:
            name = os.fsdecode(path)
        except TypeError:
            return None  # an open file, or nothing that could be a path
        if not name:
            return None
        own = self.own(raw.abspath(name))
        folder = f"{own}/"
        for beginning, excluded in self._rules:
            if folder.startswith(beginning):
                if excluded:
                    return None
                break
        return None if "/__pycache__/" in folder else (own, self._copy(own))

    def followed(self, path: Any, *, last: bool = True) -> tuple[str, str] | None:
        """Return the place that a path leads to through the links that the trial has made.

        Args:
            path: The path.
            last: Whether a link at its very end is followed.
        """
        place = self.place(path)
        if not self.links:
            return place
        for _ in range(_MOST_LINKS):
            target = None if place is None else self._through_link(place[1], last)
            if target is None:
                return place
            place = self.place(target)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    def own(self, path: str) -> str:
        """Return an absolute path with the folder of the copies taken for what it stands for."""
        if path == self.to or path.startswith(f"{self.to}/"):
            rest = path[len(self.to) + 1 :]
            if rest.startswith("abs/"):
                return rest[3:]
            return raw.join(self.root, rest) if rest else self.root
        return path

    # ------------------------------------------------------------------ where to

    def seen(self, path: Any, *, follow: bool = True) -> Any:
        """Return where to read: the copy where there is one, else the user's."""
        place = self.followed(path, last=follow)
        if place is None:
            return path
        own, copy = place
        if raw.exists(copy) or self.hidden(own):
            return _like(path, copy)
        return _like(path, own) if self.away or self.links else path

    def written(
        self, path: Any, *, keep: bool = False, new: bool = False, folders: bool = False, follow: bool = True
    ) -> Any:
        """Return where to write, with room made for it.

        Args:
            path: The path.
            keep: Whether what is there is kept: the user's file is copied first.
            new: Whether there must not be anything.
            folders: Whether a folder of the user's gets a copy too, an empty one.
            follow: Whether a link at the end of the path is followed.

        Returns:
            The copy; or the user's path where the function that gets it will refuse it, or where it is a device.
        """
        place = self.followed(path, last=follow)
        if place is None:
            return path
        own, copy = place
        if raw.exists(copy):
            return _like(path, copy)
        mode = self.mode(own, follow=not new)
        if mode is not None and (new or not (raw.S_ISREG(mode) or (folders and raw.S_ISDIR(mode)))):
            return _like(path, own)
        if self.is_folder(raw.dirname(own)):
            raw.make_folders(raw.dirname(copy))
        if mode is not None and raw.S_ISDIR(mode):
            raw.make_folders(copy)
        elif mode is not None and keep:
            raw.copy_file(own, copy)
        return _like(path, copy)

    # ------------------------------------------------------------------ what is there

    def names(self, own: str, copy: str) -> list[str]:
        """Return the names in a folder, both layers merged."""
        found = dict.fromkeys(raw.listdir(copy) if raw.is_folder(copy) else ())
        if copy == self.to:
            found.pop("abs", None)
        if self.mode(own) is not None:
            found |= dict.fromkeys(name for name in raw.listdir(own) if raw.join(own, name) not in self._hidden)
        return list(found)

    def mode(self, own: str, *, follow: bool = True) -> int | None:
        """Return the mode of what the user has at a path, None where there is nothing to be seen."""
        try:
            return None if self.hidden(own) else (raw.stat if follow else raw.lstat)(own).st_mode
        except OSError:
            return None

    def is_folder(self, own: str) -> bool:
        """Whether a path is a folder in either layer."""
        mode = self.mode(own)
        return raw.is_folder(self._copy(own)) or (mode is not None and raw.S_ISDIR(mode))

    @property
    def hides(self) -> bool:
        """Whether anything of the user's is hidden."""
        return bool(self._hidden)

    def hide(self, own: str) -> None:
        """Make the user's file or folder unseen for good, as if it were removed; it stays on the disk."""
        self._hidden.add(own)

    def hidden(self, own: str) -> bool:
        """Whether the user's side of a path is not to be seen, itself or a folder that it is in."""
        while self._hidden:
            if own in self._hidden:
                return True
            above = raw.dirname(own)
            if above == own:
                break
            own = above
        return False

    def lift(self, own: str, copy: str) -> None:
        """Copy what is seen at a path, with all that is in it, into the upper layer."""
        mode = self.mode(own, follow=False)
        if raw.is_folder(copy) or (mode is not None and raw.S_ISDIR(mode) and not raw.exists(copy)):
            raw.make_folders(copy)
            for name in self.names(own, copy):
                self.lift(raw.join(own, name), raw.join(copy, name))
        elif mode is not None and not raw.exists(copy):
            raw.make_folders(raw.dirname(copy))
            if raw.is_link(own):
                self.links = True
                raw.copy_link(own, copy)
            else:
                raw.copy_file(own, copy)

    def _copy(self, own: str) -> str:
        if own == self.root:
            return self.to
        root = f"{self.root.rstrip('/')}/"
        return f"{self.to}/{own[len(root) :]}" if own.startswith(root) else f"{self.to}/abs{own}"

    def _through_link(self, copy: str, last: bool) -> str | None:
        """Return a path with its first link of the trial's replaced by what that points to, None where it has none."""
        part = self.to
        names = copy[len(self.to) + 1 :].split("/")
        for i, name in enumerate(names, 1):
            part = raw.join(part, name)
            if i == len(names) and not last:
                break
            if raw.is_link(part):
                return raw.normpath(raw.join(raw.dirname(part), raw.readlink(part), *names[i:]))
        return None


def _like(path: Any, result: str) -> str | bytes:
    """Return a path as bytes where the program works with bytes."""
    return os.fsencode(result) if isinstance(path, bytes) else result
