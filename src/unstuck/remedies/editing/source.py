"""A file of the program with its syntax tree, and the replacements of its pieces."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from unstuck.remedies.editing.replacement import Replacement

if TYPE_CHECKING:
    from unstuck.record import Run

_Node = TypeVar("_Node", bound=ast.AST)
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module
Placed = ast.expr | ast.stmt | ast.keyword


class Source:
    """A file of the program. Two of the same content are the same object (:func:`read_source`).

    Args:
        file: Its name, as the record has it.
        data: Its content, in UTF-8.

    Raises:
        SyntaxError: It is no Python.
        UnicodeDecodeError: It is not in UTF-8.

    Attributes:
        file: The same.
        data: The same.
        tree: Its syntax tree.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the program's own literals
            self.tree = ast.parse(data.decode())
        self._starts = [0, *accumulate(len(line) for line in data.splitlines(keepends=True))]
        self._parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def span(self, node: Placed) -> tuple[int, int]:
        """Return where a node begins and ends, in bytes (as the syntax tree counts columns)."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: Placed) -> str:
        """Return a node as it is written."""
        begin, end = self.span(node)
        return self.data[begin:end].decode()

    def all(self, *kinds: type[_Node], within: ast.AST | None = None) -> Iterator[_Node]:
        """Go through the nodes of some kinds, in no order that means anything."""
        for node in ast.walk(within or self.tree):
            if isinstance(node, kinds):
                yield node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds another one."""
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Go through the nodes that hold a node, the innermost first."""
        holder = self._parents.get(node)
        while holder is not None:
            yield holder
            holder = self._parents.get(holder)

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the innermost statement that holds a node, or is it."""
        return next(holder for holder in (node, *self.above(node)) if isinstance(holder, ast.stmt))

    def scope(self, node: ast.AST) -> Scope:
        """Return the innermost function that holds a node, or the module."""
        return next(holder for holder in self.above(node) if isinstance(holder, Scope))

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the innermost class that holds a node."""
        return next((holder for holder in self.above(node) if isinstance(holder, ast.ClassDef)), None)

    def calls_at(self, line: int, *names: str) -> list[ast.Call]:
        """Return the calls that cover a line, of functions whose names end in one of these, or of any."""
        return [
            call
            for call in self.all(ast.Call)
            if call.lineno <= line <= (call.end_lineno or call.lineno) and (not names or called(call) in names)
        ]

    # ------------------------------------------------------------------ replacements

    def replace(self, node: Placed, text: str) -> Replacement:
        """Write a node anew."""
        return Replacement(self, *self.span(node), text)

    def put(self, at: int, text: str) -> Replacement:
        """Put a text in at a position in bytes."""
        return Replacement(self, at, at, text)

    def before(self, statement: ast.stmt, *lines: str) -> Replacement | None:
        """Put lines in before a statement, indented as it is; None where it does not stand alone on its lines."""
        if not self.stands_alone(statement):
            return None
        at = self._starts[statement.lineno - 1]
        text = "".join(f"{self._indent(statement)}{line}{self._ending}" for line in lines)
        return Replacement(self, at, at, text, rank=1)

    def after(self, statement: ast.stmt, *lines: str) -> Replacement | None:
        """Put lines in after a statement, indented as it is; None where it does not stand alone on its lines."""
        if not self.stands_alone(statement):
            return None
        indent, at = self._indent(statement), self.next_line(statement)
        text = "".join(f"{indent}{line}{self._ending}" for line in lines)
        if not self.data[:at].endswith((b"\n", b"\r")):
            text = self._ending + text.removesuffix(self._ending)
        return Replacement(self, at, at, text, rank=-1 - len(indent))

    def delete(self, statement: ast.stmt) -> Replacement | None:
        """Take the lines of a statement away; None where others share them, or where it is alone in its block."""
        holder = self._parents[statement]
        blocks = [block for _, block in ast.iter_fields(holder) if isinstance(block, list) and statement in block]
        if not self.stands_alone(statement) or any(len(block) < 2 for block in blocks):
            return None
        return self.delete_lines(statement)

    def delete_lines(self, node: Placed) -> Replacement:
        """Take the lines of a node away."""
        return Replacement(self, self._starts[node.lineno - 1], self.next_line(node), "")

    def next_line(self, node: Placed) -> int:
        """Return where the line behind a node begins."""
        return self._starts[node.end_lineno or node.lineno]

    def stands_alone(self, node: Placed) -> bool:
        """Whether a node has its lines for itself, but for a comma and a comment behind it."""
        begin, end = self.span(node)
        behind = self.data[end : self.next_line(node)].strip()
        behind = behind.removeprefix(b",").strip() if not isinstance(node, ast.stmt) else behind
        return not self.data[self._starts[node.lineno - 1] : begin].strip() and behind[:1] in (b"", b"#")

    def _indent(self, node: Placed) -> str:
        begin, _ = self.span(node)
        return self.data[self._starts[node.lineno - 1] : begin].decode()

    @cached_property
    def _ending(self) -> str:
        return "\r\n" if b"\r\n" in self.data else "\n"

    def line_like(self, node: Placed, text: str) -> Replacement:
        """Put a line in behind that of a node that has its lines for itself."""
        return self.put(self.next_line(node), f"{self._indent(node)}{text}{self._ending}")


def called(call: ast.Call) -> str:
    """Return the last part of the name of the function that is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def read_source(run: Run, file: str | None) -> Source | None:
    """Return a file of the program as it is now, None where it cannot be read or has changed since.

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
        return _parsed(file, path.read_bytes())
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return None


@lru_cache(maxsize=16)
def _parsed(file: str, data: bytes) -> Source:
    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError("a file that begins with a mark of its byte order")  # columns count without it
    return Source(file, data)


def _started(run: Run) -> float:
    try:
        return datetime.fromisoformat(str(run.manifest["started"])).timestamp()
    except (KeyError, ValueError):
        return float("inf")
