"""The bell between whoever commits and this process's worker."""

import asyncio
from contextlib import suppress

from application.ports.wake import Wake


class Bell(Wake):
    """Rung by commits of this process; a worker rests until it rings, or a bound is over."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def poke(self) -> None:
        self._rung.set()

    async def rest(self, seconds: float) -> None:
        """Wait for the next ring, at most that long."""
        # Not wait_for: being cancelled in the instant of the ring would be forgotten.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
