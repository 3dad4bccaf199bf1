"""Quickprop as Fahlman's programs write it: one weight, one branch after the other."""

from __future__ import annotations


class Weight:
    """A weight with its last step and last slope.

    Args:
        w: The weight.
        mu: Highest growth of a step.
        decay: Times the weight, it is added to the slope.
    """

    def __init__(self, w: float, mu: float = 1.75, decay: float = 0.0) -> None:
        self.w, self.mu, self.decay = w, mu, decay
        self.d = self.p = 0.0
        self.branches: set[str] = set()

    def step(self, slope: float, epsilon: float) -> float:
        """Take one step from a slope and return the weight."""
        s = slope + self.decay * self.w
        shrink = self.mu / (1 + self.mu)
        step = 0.0
        if self.d < 0:
            if s > 0:
                step -= epsilon * s
            if s >= shrink * self.p:
                step += self._took("growth down") * self.mu * self.d
            else:
                step += self._took("parabola down" if s > 0 else "back up") * self.d * s / (self.p - s)
        elif self.d > 0:
            if s < 0:
                step -= epsilon * s
            if s <= shrink * self.p:
                step += self._took("growth up") * self.mu * self.d
            else:
                step += self._took("parabola up" if s < 0 else "back down") * self.d * s / (self.p - s)
        else:
            step -= self._took("start") * epsilon * s
        self.d, self.p = step, s
        self.w += step
        return self.w

    def _took(self, branch: str) -> int:
        self.branches.add(branch)
        return 1
