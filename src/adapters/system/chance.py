"""Waiting by chance."""

import asyncio
from random import Random, SystemRandom

from application.ports.chance import Chance


class SystemChance(Chance):
    """Full jitter: anywhere between nothing and a bound that doubles with each attempt, up to a quarter of a second."""

    def __init__(self, *, chance: Random | None = None, first: float = 0.005, longest: float = 0.25) -> None:
        self._chance = chance or SystemRandom()
        self._first = first
        self._longest = longest

    async def pause(self, attempt: int) -> None:
        """Wait a random while that grows with the attempt, in seconds of the event loop."""
        await asyncio.sleep(self.within(attempt))

    def within(self, attempt: int) -> float:
        """A random number of seconds below this attempt's bound."""
        return self._chance.uniform(0, min(self._longest, self._first * 2.0 ** min(max(attempt, 1) - 1, 32)))


class NoPause(Chance):
    """Gives way to others and goes on at once: for tests and simulations."""

    async def pause(self, attempt: int) -> None:
        """Let every other task run once."""
        await asyncio.sleep(0)
