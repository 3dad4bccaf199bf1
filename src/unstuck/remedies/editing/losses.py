"""The call of the loss in the source, and that which makes it where it is a module."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from unstuck.remedies.editing.names import names_of
from unstuck.remedies.editing.source import Source, called

#: Losses as modules, by their names in ``torch.nn.functional``.
MODULES = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
}


@dataclass(frozen=True)
class LossCall:
    """A loss of torch in the source.

    Attributes:
        use: The call on outputs and targets.
        settings: The call that has its settings: the same for a function, that which makes it for a module.
        is_module: Whether it is a module.
    """

    use: ast.Call
    settings: ast.Call
    is_module: bool


def find_loss(source: Source, kind: str, line: int) -> LossCall | None:
    """Return the loss at a line, None where the line has none or several.

    Args:
        source: The file.
        kind: Its name in ``torch.nn.functional``.
        line: The line.
    """
    names = names_of(source)
    functions = [c for c in source.calls_at(line, kind) if names.path(c.func) == f"torch.nn.functional.{kind}"]
    if functions:
        return LossCall(functions[0], functions[0], is_module=False) if len(functions) == 1 else None
    found = []
    for use in source.calls_at(line):
        made = _made(source, ast.unparse(use.func))
        if made is not None and names.path(made.func) == f"torch.nn.{MODULES.get(kind)}":
            found.append(LossCall(use, made, is_module=True))
    return found[0] if len(found) == 1 else None


def _made(source: Source, name: str) -> ast.Call | None:
    """Return the call that makes what a name or an attribute is, where it is set once."""
    sets = [(target, one.value) for one in source.all(ast.Assign) for target in one.targets]
    annotated = [(one.target, one.value) for one in source.all(ast.AnnAssign)]
    values = [value for target, value in (*sets, *annotated) if ast.unparse(target) == name]
    return values[0] if len(values) == 1 and isinstance(values[0], ast.Call) else None


def is_output(source: Source, node: ast.expr, model: ast.expr) -> bool:
    """Whether an expression is a call of a network, or a variable that holds what such a call gave."""
    if isinstance(node, ast.Name):
        scope = source.scope(node)
        sets = [s for s in source.all(ast.Assign, within=scope) if [ast.unparse(t) for t in s.targets] == [node.id]]
        return bool(sets) and all(is_output(source, s.value, model) for s in sets if not isinstance(s.value, ast.Name))
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and called(node) in ("squeeze", "flatten", "view", "reshape"):
        return is_output(source, node.func.value, model)
    return ast.unparse(node.func) == ast.unparse(model)
