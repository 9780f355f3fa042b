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
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()
