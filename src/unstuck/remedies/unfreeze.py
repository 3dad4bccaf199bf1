"""``unfreeze``: the frozen parameters of a network are trained too."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unstuck.remedies.editing import Replacement
from unstuck.remedies.editing.optimizers import optimizer_calls
from unstuck.remedies.parameters import audited
from unstuck.remedies.remedy import Edit, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from unstuck.record import Run
    from unstuck.trials.inside.stage import Stage


@dataclass(frozen=True)
class Unfreeze(Remedy):
    """Frozen parameters of a network that is trained in part want gradients, and the main optimizer gets them.

    A network of which nothing is trained, such as a teacher, stays as it is.
    """

    kind: ClassVar[str] = "unfreeze"

    @property
    def label(self) -> str:
        """What is done."""
        return "frozen parameters trained"

    def apply(self, stage: Stage) -> None:
        """Unfreeze right before the first forward pass and add right before the first step."""
        from unstuck.remedies.adoption import Adoption

        thawed: list[Tensor] = []

        def thaw(network: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
            for parameter in network.parameters():
                if not parameter.requires_grad and (parameter.is_floating_point() or parameter.is_complex()):
                    thawed.append(parameter.requires_grad_(True))

        stage.before_first_forward(thaw)
        Adoption(stage, self.kind, "no frozen parameter of a network in training gets a gradient", thawed)

    def edit(self, run: Run) -> Edit:
        """Name the parameters and the line that made the optimizer."""
        optimizer = run.main_optimizer
        place = (
            f"before {optimizer.file}:{optimizer.line}" if optimizer.file and optimizer.line else "before it is made"
        )
        frozen = audited(run, "frozen")
        sentence = f"call requires_grad_(True) on the frozen layers{f' ({frozen})' if frozen else ''} {place}"
        sentence = f"{sentence}, and give the optimizer model.parameters()"
        return Edit(sentence, optimizer.file, optimizer.line, _pieces(run))


def _pieces(run: Run) -> tuple[Replacement, ...]:
    """Return the source without what freezes parts of the network, and with all of it for the optimizer."""
    made = optimizer_calls(run) or ()
    if len(made) != 1 or made[0].parameters is None:
        return ()
    source, given = made[0].source, made[0].parameters
    owners = [c.func.value for c in source.all(ast.Call, within=given) if isinstance(c.func, ast.Attribute)]
    part, network = made[0].model, made[0].network
    whole = ast.unparse(network) if network is not None else ast.unparse(owners[0]) if len(owners) == 1 else ""
    frozen = [(s, freezes(s)) for s in source.all(ast.stmt) if freezes(s)]
    frozen = [(s, of) for s, of in frozen if not any(isinstance(x, ast.For) and freezes(x) for x in source.above(s))]
    mine = [statement for statement, of in frozen if of.startswith(f"{whole}.")]
    if not whole or not mine or any(of.startswith("self.") for _, of in frozen):
        return ()
    gone = [source.delete(statement) for statement in mine]
    pieces = [piece for piece in gone if piece is not None]
    if part is not None and ast.unparse(part) != whole:
        pieces.append(source.replace(given, f"{whole}.parameters()"))
    return tuple(pieces) if all(gone) else ()


def freezes(statement: ast.stmt) -> str:
    """Return what a statement freezes, as it is written; empty where it freezes nothing.

    Args:
        statement: ``model.body.requires_grad_(False)``, ``model.body.weight.requires_grad = False``, or a loop over
            ``model.body.parameters()`` that does no more than one of these.
    """
    if isinstance(statement, ast.For) and len(statement.body) == 1 and not statement.orelse:
        inner, over = freezes(statement.body[0]), ast.unparse(statement.iter)
        same = inner == ast.unparse(statement.target)
        return over.removesuffix(".parameters()") if same and over.endswith(".parameters()") else ""
    if isinstance(statement, ast.Expr):
        return _before(ast.unparse(statement.value), ".requires_grad_(False)")
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return _before(ast.unparse(statement), ".requires_grad = False")
    return ""


def _before(text: str, end: str) -> str:
    return text.removesuffix(end) if text.endswith(end) else ""
