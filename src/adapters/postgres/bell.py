"""A bell heard by every process on one database: NOTIFY on a connection of its own, at most one in 20 ms."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from adapters.system.bell import Bell

CHANNEL = "guildhall"
APART = 0.02
AGAIN = 1.0

log = structlog.get_logger("bell")


class PostgresBell(Bell):
    """Rings here at once and elsewhere soon. Never inside a write, never waited for: polling is the truth."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self._dsn = dsn
        self._told = asyncio.Event()

    def poke(self) -> None:
        super().poke()
        self._told.set()

    async def run(self) -> None:
        """Pass rings on in both directions until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._relay()
            except Exception as error:
                log.info("the line to the other processes broke", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN)

    async def _relay(self) -> None:
        connection: Any = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "guildhall bell"}
        )
        try:
            await connection.add_listener(CHANNEL, lambda *_: Bell.poke(self))
            while not connection.is_closed():
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN):
                        await self._told.wait()
                if self._told.is_set():
                    self._told.clear()
                    await connection.execute(f"notify {CHANNEL}", timeout=5)
                await asyncio.sleep(APART)
        finally:
            connection.terminate()
