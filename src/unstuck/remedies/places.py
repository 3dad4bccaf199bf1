"""The line of the program that an edit belongs to, and the edit itself where the source is plain enough."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unstuck.remedies.remedy import Edit

if TYPE_CHECKING:
    from unstuck.record import Run
    from unstuck.record.reader import OptimizerInfo


def keyword_edit(run: Run, optimizer: OptimizerInfo, keyword: str, *, old: Any, new: str) -> Edit:
    """Return the edit that sets a keyword of an optimizer.

    Args:
        run: The watched run.
        optimizer: The optimizer.
        keyword: Name of its argument.
        old: The value in use.
        new: The value to write, as Python source.

    Returns:
        The edit; with a diff where the call at the recorded line has the argument as a literal, or not at all.
    """
    known = optimizer.file and optimizer.line
    place = f"at {optimizer.file}:{optimizer.line}" if known else "where the optimizer is made"
    was = f" (it is {old})" if isinstance(old, (int, float, str, bool, tuple, list)) else ""
    sentence = f"write {keyword}={new} {place}{was}"
    source = read_source(run, optimizer.file)
    diff = ""
    if source is not None and optimizer.file and optimizer.line:
        changed = _with_keyword(source, optimizer.line, keyword, new)
        diff = unified(optimizer.file, source, changed) if changed is not None else ""
    return Edit(sentence, optimizer.file, optimizer.line, diff)


def read_source(run: Run, file: str | None) -> str | None:
    """Return the source of a file of the program as it is now, None where it cannot be read or has changed since.

    Args:
        run: The watched run.
        file: The file, as the record has it: relative to the folder that the program was started in.
    """
    if not file:
        return None
    path = Path(run.manifest.get("cwd") or ".") / file
    try:
        if path.stat().st_mtime > _started(run):
            return None  # its lines may not be those that ran
        return path.read_bytes().decode()  # line ends as they are: the diff has to fit them
    except (OSError, UnicodeDecodeError):
        return None


def unified(file: str, before: str, after: str) -> str:
    """Return two versions of a file as a unified diff that ``patch -p1`` takes."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def call_at(source: str, line: int, *names: str) -> ast.Call | None:
    """Return the one call that covers a line of a source, None where there is none or it cannot be told which.

    Args:
        source: Source of the file.
        line: Line, from 1.
        names: Last parts of the names of functions that it may call; any if none are given.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        and (not names or _name(node) in names)
    ]
    if names:
        return calls[0] if len(calls) == 1 else None
    starting = [call for call in calls if call.lineno == line] or calls
    return starting[0] if len(starting) == 1 else None


def replaced(source: str, node: ast.expr, text: str) -> str:
    """Return a source with one expression of it written anew."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    data = source.encode()  # columns of the syntax tree are counted in bytes
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    return (data[:begin] + text.encode() + data[end:]).decode()


def importing(source: str, module: str, line: int) -> str | None:
    """Return a source that imports a module, after the last plain import above a line; None where there is none.

    Args:
        source: Source of the file.
        module: Name of the module, to be used in full.
        line: Line that uses it, from 1.
    """
    above = [node for node in ast.parse(source).body if node.lineno < line]
    imports = [node for node in above if isinstance(node, (ast.Import, ast.ImportFrom))]
    plain = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names if not alias.asname}
    if module in plain:
        return source
    if not imports:
        return None
    lines = source.splitlines(keepends=True)
    last = imports[-1].end_lineno or imports[-1].lineno
    end = lines[last - 1][len(lines[last - 1].rstrip("\r\n")) :]
    return "".join([*lines[:last], f"import {module}{end}", *lines[last:]])


def _with_keyword(source: str, line: int, keyword: str, new: str) -> str | None:
    """Return the source with a keyword of the call at a line set; None where that takes a person."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    covering = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    having = [call for call in covering if any(k.arg == keyword for k in call.keywords)]
    if len(having) == 1:
        value = next(k.value for k in having[0].keywords if k.arg == keyword)
        try:
            ast.literal_eval(value)
        except ValueError:
            return None  # a variable: only its owner knows where it is set
        return replaced(source, value, new)
    optimizers = [call for call in covering if _name(call)[:1].isupper() and call.args]
    if having or len(optimizers) != 1 or any(k.arg is None for k in optimizers[0].keywords):
        return None
    if len(optimizers[0].args) > 1 or isinstance(optimizers[0].args[0], ast.GeneratorExp):
        return None  # the value may stand among the positional ones; a lone generator has no parentheses of its own
    arguments = (*optimizers[0].args, *(k.value for k in optimizers[0].keywords))
    last = max(arguments, key=lambda node: (node.end_lineno, node.end_col_offset))
    segment = ast.get_source_segment(source, last)
    return None if segment is None else replaced(source, last, f"{segment}, {keyword}={new}")


def _name(call: ast.Call) -> str:
    """Return the last part of the name of the function that is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _started(run: Run) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(run.manifest["started"])).timestamp()
    except (KeyError, ValueError):
        return float("inf")
