"""The file functions of Python as they were before ``files.redirect`` replaced them, and a few helpers made of them."""

# os.path on purpose: pathlib works with the functions that are replaced.
# ruff: noqa: PTH102, PTH105, PTH115, PTH116, PTH118, PTH119, PTH120, PTH211, UP020

from __future__ import annotations

import os
import shutil
from io import open as open_file
from os import access, getcwd, listdir, lstat, mkdir, readlink, replace, scandir, stat, symlink
from os.path import abspath, basename, dirname, join, normpath
from stat import S_ISDIR, S_ISLNK, S_ISREG

__all__ = (
    "S_ISDIR",
    "S_ISREG",
    "abspath",
    "copy_file",
    "copy_link",
    "dirname",
    "exists",
    "getcwd",
    "is_folder",
    "is_link",
    "join",
    "listdir",
    "lstat",
    "make_folders",
    "normpath",
    "readlink",
    "scandir",
    "stat",
    "symlink",
)

#: So that a link that leads nowhere is something that exists.
_AS_LINK = {"follow_symlinks": False} if os.access in os.supports_follow_symlinks else {}


def exists(path: str) -> bool:
    """Whether there is something at a path; by far the cheapest question, so it is asked at every call."""
    return access(path, os.F_OK, **_AS_LINK)


def is_folder(path: str) -> bool:
    """Whether there is a folder at a path."""
    try:
        return S_ISDIR(stat(path).st_mode)
    except OSError:
        return False


def is_link(path: str) -> bool:
    """Whether there is a symbolic link at a path."""
    try:
        return S_ISLNK(lstat(path).st_mode)
    except OSError:
        return False


def make_folders(folder: str) -> None:
    """Make a folder and those that it is in."""
    try:
        mkdir(folder)
    except FileNotFoundError:
        make_folders(dirname(folder))
        make_folders(folder)
    except FileExistsError:
        pass


def copy_file(source: str, target: str) -> None:
    """Copy the bytes of a file; other processes see all of them or none."""
    draft = join(dirname(target), f".{basename(target)}.{os.getpid()}")
    with open_file(source, "rb") as reader, open_file(draft, "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
    replace(draft, target)


def copy_link(source: str, target: str) -> None:
    """Make a link that leads where another one does."""
    symlink(join(dirname(source), readlink(source)), target)
