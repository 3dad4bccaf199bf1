"""Growing cascades: outputs, candidates, a new unit, and again. Many trials grow side by side.

The trials of a batch have the same number of hidden units at any time, so that a phase is one batch of products; one
that is done with its phase leaves the batch, and one that is right leaves for good. Gradients are in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.constructive.candidates import centred, train_candidates
from unstuck.constructive.network import Cascade, Phase
from unstuck.constructive.outputs import Cases, train_outputs
from unstuck.constructive.quickprop import Quickprop
from unstuck.constructive.settings import Settings
from unstuck.constructive.solving import solve_outputs

#: Asked after each output phase with the number of the trial and the network so far: whether it is enough.
Monitor = Callable[[int, Cascade], bool]


@dataclass(frozen=True)
class Problem:
    """What is to be learned.

    Attributes:
        inputs: ``[n, inputs]``.
        targets: ``[n, outputs]``; of sigmoids from 0 to 1.
        linear: Whether outputs are linear.
        weights: Weight of each case, ``[n]``, more than 0; None where they are alike.
    """

    inputs: Tensor
    targets: Tensor
    linear: bool = False
    weights: Tensor | None = None

    def cases(self) -> Cases:
        """Return targets and weights as the phases take them."""
        total = float(len(self.targets)) if self.weights is None else float(self.weights.sum())
        return Cases(self.targets.T.contiguous(), self.weights, self.linear, total)


@torch.inference_mode()
def grow(
    problem: Problem,
    settings: Settings,
    generators: Sequence[np.random.Generator],
    start: Cascade | None = None,
    monitor: Monitor | None = None,
) -> list[Cascade]:
    """Grow one cascade for each random generator.

    Args:
        problem: What is to be learned; its dtype and device are computed with.
        settings: How.
        generators: One for each trial; the first draw is that of the output weights, then one for each pool.
        start: A cascade that all go on from; its hidden units count.
        monitor: Asked after each output phase.

    Returns:
        The cascades.
    """
    cases = problem.cases()
    networks = [start.copy() if start else Cascade(problem.inputs.shape[1], problem.linear) for _ in generators]
    values = _first_values(problem, networks[0], len(generators), settings)
    width = networks[0].width
    if start and start.outputs:
        weights = torch.as_tensor(start.outputs[-1]).to(values).repeat(len(generators), 1, 1)
    else:
        weights = _draw(generators, (cases.targets.shape[0], width), settings, values)
    quickprop = Quickprop(weights, settings.mu)
    alive = list(range(len(generators)))
    while True:
        width = networks[alive[0]].width
        seen = values[:, :width]
        trained = (
            solve_outputs(seen, cases, settings) if problem.linear else train_outputs(seen, cases, quickprop, settings)
        )
        final = trained.quickprop.weights.cpu().numpy().copy()
        stay = []
        for place, trial in enumerate(alive):
            network = networks[trial]
            network.end_outputs(
                final[place], Phase("outputs", trained.epochs[place], trained.errors[place]), trained.right[place]
            )
            enough = monitor is not None and not network.diverged and monitor(trial, network)
            if not (enough or network.right or network.diverged or network.hidden_units >= settings.max_hidden):
                stay.append(place)
        if not stay:
            return networks
        alive = [alive[place] for place in stay]
        rows = torch.tensor(stay, device=values.device)
        quickprop, residuals = trained.quickprop.kept(rows), trained.residuals
        if len(stay) < len(values):
            values, residuals = values.index_select(0, rows), residuals.index_select(0, rows)
        first = _draw([generators[trial] for trial in alive], (settings.candidates, width), settings, values)
        chosen = train_candidates(values[:, :width], centred(residuals, cases), first, cases, settings)
        weights = chosen.weights[:, None]
        values[:, width] = (torch.bmm(weights, values[:, :width]).sigmoid_() - 0.5)[:, 0]
        quickprop = quickprop.widened(-chosen.covariances[..., None])
        units = chosen.weights.cpu().numpy()
        for place, trial in enumerate(alive):
            phase = Phase("candidates", chosen.epochs[place], chosen.scores[place])
            networks[trial].add_unit(units[place].copy(), phase)


def _first_values(problem: Problem, network: Cascade, trials: int, settings: Settings) -> Tensor:
    inputs = problem.inputs
    room = max(network.width, 1 + inputs.shape[1] + settings.max_hidden)
    values = inputs.new_zeros(trials, room, len(inputs))
    values[:, : network.width] = network.unit_values(inputs).T
    return values


def _draw(
    generators: Sequence[np.random.Generator], shape: tuple[int, int], settings: Settings, like: Tensor
) -> Tensor:
    spread = settings.weight_range
    drawn = np.stack([generator.uniform(-spread, spread, shape) for generator in generators])
    return torch.from_numpy(drawn).to(like)
