"""Bringing the database to the schema of this version, looking how far it is, and writing the steps down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from domain.shared.errors import Refusal
from entrypoints.container.opening import migrated, owner_address
from entrypoints.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The revision a database is at (None: it is empty), and the one this version wants."""

    found: str | None
    wanted: str

    @property
    def present(self) -> bool:
        """Whether there is nothing to do."""
        return self.found == self.wanted


async def standing(settings: Settings) -> Standing:
    """How far the database of these settings is."""
    async with _owner(settings) as url:
        return await _standing(url)


async def upgrade(settings: Settings) -> Standing:
    """Bring the database to the newest revision; how far it was before."""
    async with _owner(settings) as url:
        before = await _standing(url)
        await migrated(url)
        return before


async def script() -> str:
    """The whole way from an empty database to the newest revision, as SQL."""
    from adapters.postgres.migrations import offline_sql

    return await asyncio.to_thread(offline_sql)


async def _standing(url: str) -> Standing:
    from adapters.postgres.versions import newest, revision

    return Standing(found=await revision(url), wanted=newest())


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        try:
            yield await owner_address(settings, stack)
        except Refusal:
            raise
        except Exception as error:
            from adapters.postgres.examination import explained

            raise (explained(error) or error) from error
