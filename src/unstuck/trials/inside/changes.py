"""The functions of ``os`` that make, move and remove names, over the two layers of a trial's files."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from unstuck.trials.inside import raw
from unstuck.trials.inside.overlay import Overlay

Function = Callable[..., Any]
Place = tuple[str, str]


class Changes:
    """Makes replacements. Each method gets the original and returns what stands for it.

    Calls that work relative to the number of an open folder are passed on as they are.

    Args:
        overlay: The layers.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def make(self, original: Function) -> Function:
        """``mkdir``, ``mkfifo``, ``mknod``."""
        overlay = self._overlay

        def make(path: Any, *args: Any, dir_fd: int | None = None, **kwargs: Any) -> Any:
            if dir_fd is not None:
                return original(path, *args, dir_fd=dir_fd, **kwargs)
            return original(overlay.written(path, new=True, follow=False), *args, **kwargs)

        return make

    def remove(self, original: Function) -> Function:
        """``remove`` and ``unlink``: a file of the user's is hidden."""
        overlay = self._overlay

        def remove(path: Any, *, dir_fd: int | None = None) -> None:
            place = None if dir_fd is not None else overlay.followed(path, last=False)
            if place is None:
                original(path, dir_fd=dir_fd)
                return
            own, copy = place
            mode = overlay.mode(own, follow=False)
            if raw.exists(copy) or mode is None:
                original(copy)
            elif raw.S_ISDIR(mode):
                raise _error(errno.EISDIR, path)
            overlay.hide(own)

        return remove

    def rmdir(self, original: Function) -> Function:
        """``rmdir``: a folder is empty when it is so in both layers."""
        overlay = self._overlay

        def rmdir(path: Any, *, dir_fd: int | None = None) -> None:
            place = None if dir_fd is not None else overlay.followed(path, last=False)
            if place is None:
                original(path, dir_fd=dir_fd)
                return
            own, copy = place
            mode = overlay.mode(own, follow=False)
            if mode is not None and not raw.S_ISDIR(mode) and not raw.exists(copy):
                raise _error(errno.ENOTDIR, path)
            if overlay.is_folder(own) and overlay.names(own, copy):
                raise _error(errno.ENOTEMPTY, path)
            if raw.exists(copy) or mode is None:
                original(copy)
            overlay.hide(own)

        return rmdir

    def rename(self, original: Function) -> Function:
        """``rename`` and ``replace``: what is the user's is copied to the new name and hidden under the old."""
        overlay = self._overlay

        def rename(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
            if src_dir_fd is not None or dst_dir_fd is not None:
                original(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
                return
            source, target = overlay.followed(src, last=False), overlay.followed(dst, last=False)
            if target is not None:
                folder = raw.is_folder(os.fsdecode(src)) if source is None else overlay.is_folder(source[0])
                self._refuse(folder, target, dst)
            if source is not None:
                overlay.lift(*source)
            original(source[1] if source else src, self._room(target) if target else dst)
            for place in (source, target):
                if place is not None:
                    overlay.hide(place[0])

        return rename

    def link(self, original: Function) -> Function:
        """``link``: made between copies, so that nothing is ever written through it into a file of the user's."""
        overlay = self._overlay

        def link(src: Any, dst: Any, **options: Any) -> None:
            if options.get("src_dir_fd") is not None or options.get("dst_dir_fd") is not None:
                original(src, dst, **options)
                return
            source = overlay.followed(src)
            if source is not None:
                overlay.lift(*source)
            original(source[1] if source else src, overlay.written(dst, new=True, follow=False), **options)

        return link

    def symlink(self, original: Function) -> Function:
        """``symlink``: a link to something that only the user has leads there, any other to the copy."""
        overlay = self._overlay

        def symlink(src: Any, dst: Any, *args: Any, **options: Any) -> None:
            if options.get("dir_fd") is not None:
                original(src, dst, *args, **options)
                return
            text, place = os.fsdecode(src), overlay.followed(dst, last=False)
            if place is not None:
                overlay.links = True
                own, copy = overlay.place(raw.join(raw.dirname(place[0]), text)) or ("", "")
                if own and not raw.exists(copy) and overlay.mode(own) is not None:
                    text = own
                elif own and text.startswith("/"):
                    text = copy
            original(text, os.fsdecode(overlay.written(dst, new=True, follow=False)), *args, **options)

        return symlink

    def _refuse(self, folder: bool, target: Place, path: Any) -> None:
        """Raise where the system would refuse to move a folder, or something else, to a name that is taken."""
        overlay = self._overlay
        if overlay.is_folder(target[0]):
            if not folder:
                raise _error(errno.EISDIR, path)
            if overlay.names(*target):
                raise _error(errno.ENOTEMPTY, path)
        elif folder and (raw.exists(target[1]) or overlay.mode(target[0]) is not None):
            raise _error(errno.ENOTDIR, path)

    def _room(self, place: Place) -> str:
        """Return the copy at a place, with its folder made if that is one to be seen."""
        own, copy = place
        if self._overlay.is_folder(raw.dirname(own)):
            raw.make_folders(raw.dirname(copy))
        return copy


def _error(number: int, path: Any) -> OSError:
    return OSError(number, os.strerror(number), path)
