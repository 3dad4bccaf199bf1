"""What a file calls the parts of torch."""

from __future__ import annotations

import ast
from functools import lru_cache

from unstuck.remedies.editing.replacement import Replacement
from unstuck.remedies.editing.source import Source


class Names:
    """The names that the imports at the top of a file give.

    A name that is bound anywhere else in the file as well is not used: it may be something else where it stands.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        found: dict[str, str] = {}
        for statement in source.tree.body:
            if isinstance(statement, ast.Import):
                for one in statement.names:
                    first = one.name.split(".")[0]
                    found[one.asname or first] = one.name if one.asname else first
            elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
                found |= {one.asname or one.name: f"{statement.module}.{one.name}" for one in statement.names}
        top = {id(statement) for statement in source.tree.body}
        bound = {node.id for node in source.all(ast.Name) if not isinstance(node.ctx, ast.Load)}
        bound |= {node.arg for node in source.all(ast.arg)}
        bound |= {node.name for node in source.all(ast.FunctionDef)} | {node.name for node in source.all(ast.ClassDef)}
        for inner in _imports(source):
            if id(inner) not in top:
                bound |= {(one.asname or one.name).split(".")[0] for one in inner.names}
        self._paths = {name: path for name, path in found.items() if name not in bound}

    def path(self, node: ast.expr) -> str:
        """Return what an expression names, from its package on: ``torch.nn.functional.relu``; empty if not known."""
        if isinstance(node, ast.Attribute):
            before = self.path(node.value)
            return f"{before}.{node.attr}" if before else ""
        return self._paths.get(node.id, "") if isinstance(node, ast.Name) else ""

    def write(self, path: str) -> str | None:
        """Return how the file may name something of torch, as briefly as its imports allow; None if it cannot."""
        fitting = [
            (name, rest)
            for name, known in self._paths.items()
            if path == known or (path.startswith(f"{known}.") and known.split(".")[0] == "torch")
            for rest in [path[len(known) :]]
        ]
        shortest = min(fitting, key=lambda pair: (pair[1].count("."), len(pair[0])), default=None)
        return None if shortest is None else "".join(shortest)


def _imports(source: Source) -> list[ast.Import | ast.ImportFrom]:
    return [*source.all(ast.Import), *source.all(ast.ImportFrom)]


def importing(source: Source, module: str, use: ast.expr) -> list[Replacement] | None:
    """Return what imports a module in full at the top of a file: nothing where it is imported there already.

    Args:
        source: The file.
        module: Name of the module.
        use: Where it is used.

    Returns:
        At most one line, after the last import above; None where there is none to stand after.
    """
    above = [node for node in source.tree.body if node.lineno < use.lineno]
    imports = [node for node in above if isinstance(node, (ast.Import, ast.ImportFrom))]
    plain = {one.name for node in imports if isinstance(node, ast.Import) for one in node.names if not one.asname}
    if module in plain:
        return []
    line = source.after(imports[-1], f"import {module}") if imports else None
    return None if line is None else [line]


@lru_cache(maxsize=16)
def names_of(source: Source) -> Names:
    """Return the names of a file."""
    return Names(source)


def mentions(source: Source, word: str) -> bool:
    """Whether a name, an attribute or an import of a file has a word in it, such as ``scheduler``."""
    names = [node.id for node in source.all(ast.Name)] + [node.attr for node in source.all(ast.Attribute)]
    names += [f"{one.name} {one.asname}" for node in _imports(source) for one in node.names]
    return any(word in name.lower() for name in names)
