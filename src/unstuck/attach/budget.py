"""When to take the next probe: spaced so that the time of unstuck stays within its share of the run."""

from __future__ import annotations

#: A probe is due when the step number has doubled since the last one, or the time since the start grown by this factor.
_GROWTH = 1.12
#: Where no whole probe can be paid for, one without its dear parts is taken after this share of the time so far.
_GROWTH_LIGHT = 0.3


class Budget:
    """Decides which steps are probed, and what a probe can afford.

    The first probes are at steps 0, 1, 2, 4, 8 ...; later ones also as time passes. All the time spent, on probes and
    besides, stays within ``share`` of the time since the start, or within ``floor`` seconds.

    Args:
        share: Share of the run time, such as 0.03.
        floor: Seconds that may be spent in any case.
        start: Clock reading at the start.
    """

    def __init__(self, share: float, floor: float, start: float) -> None:
        self._share = share
        self._floor = floor
        self._start = start
        self.next_step = 0
        self.next_time = start
        self._begun: float | None = None
        self._not_before = start
        self._at_the_latest = start
        self._costs: dict[str, float] = {}
        self.spent = 0.0
        self.besides = 0.0
        self.attaching = 0.0
        self.probes = 0

    def wants(self, step: int, now: float) -> bool:
        """Whether the step with this number should be a probe.

        Args:
            step: Number of the step about to be prepared, from 0.
            now: Clock reading.

        Returns:
            True where a probe is due and can be paid for. Few whole ones say more than many that lack the dear parts;
            only where a whole one cannot be had for long is one of the cheap parts taken.
        """
        if now < self._not_before or not (step >= self.next_step or now >= self.next_time):
            return False
        left = self.allowed(now) - self.spent
        if self._costs.get("probe", 0.0) <= left:
            return True
        return now >= self._at_the_latest and self._costs.get("light probe", 0.0) <= left

    def allowed(self, now: float) -> float:
        """Return the seconds that may have been spent on probes by now.

        The floor is not given away at once: a run of unknown length keeps part of it for its later steps.
        """
        elapsed = now - self._start
        floor = min(self._floor, 0.5 * self._floor + 0.15 * elapsed)
        return max(floor, self._share * elapsed - self.attaching) - self.besides

    def affords(self, name: str, guess: float, now: float, running: float) -> bool:
        """Whether a measurement fits into what is left.

        Args:
            name: The measurement.
            guess: Its cost in seconds where it has never been taken.
            now: Clock reading.
            running: Seconds that the probe under way has taken so far.

        Returns:
            True where it fits.
        """
        return self.spent + running + self._costs.get(name, guess) <= self.allowed(now)

    def cost_of(self, name: str, guess: float) -> float:
        """Return the expected seconds of a measurement, ``guess`` where it has never been taken."""
        return self._costs.get(name, guess)

    def learn(self, name: str, seconds: float) -> None:
        """Note what a measurement took; one that was dear once is believed to be dear for a while."""
        self._costs[name] = max(seconds, 0.6 * self._costs.get(name, 0.0))

    def charge(self, seconds: float) -> None:
        """Count time that was spent outside probes: the hooks on ordinary steps, the pulse."""
        self.besides += seconds

    def attached(self, seconds: float) -> None:
        """Count the time of coming into the program; on a slow machine it would use up the floor of a short run."""
        self.attaching += seconds

    @property
    def total(self) -> float:
        """Seconds that unstuck has taken in all."""
        return self.spent + self.besides + self.attaching

    def took(self, step: int, seconds: float, now: float) -> None:
        """Note a probe, and set when the next one is due.

        Args:
            step: Its number.
            seconds: What it took in all.
            now: Clock reading after it.
        """
        self.spent += seconds
        self.probes += 1
        elapsed = now - self._start
        if self._begun is None:
            self._begun = now  # what comes before the training is no measure of how long it takes
        self.next_step = max(step + 1, 2 * step)
        # Where the allowance is used up, wait until the share has grown by what a probe like this one takes.
        overdrawn = self.spent + seconds - self.allowed(now)
        wait = overdrawn / self._share if overdrawn > 0 and self._share > 0 else 0.0
        # Dear probes at the first few steps would leave nothing for the rest of a short run.
        self._not_before = now + min(self.probes, 8) * seconds
        self._at_the_latest = now + _GROWTH_LIGHT * max(elapsed, 0.1)
        self.next_time = now + max((_GROWTH - 1) * (now - self._begun), min(wait, elapsed))
