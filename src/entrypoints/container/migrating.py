"""Bringing the database to the schema of this version, looking how far it is, and writing the steps down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from domain.shared.errors import Refusal
from entrypoints.container.opening import migrated, open_house, owner_address
from entrypoints.container.standing import BY_HAND, SchemaBehind, Standing, of_database, of_project
from entrypoints.settings import Settings, Storage

__all__ = ["Standing", "script", "standing", "upgrade"]


async def standing(settings: Settings) -> Standing:
    """How far the database of these settings is."""
    if _has_no_connection(settings):
        async with open_house(settings, migrate=False) as house:
            return await of_project(house.container.rest())
    async with _owner(settings) as url:
        return await of_database(url)


async def upgrade(settings: Settings) -> Standing:
    """Bring the database to the newest revision; how far it was before. A project without a connection to its database
    is only looked at, and refused if there is something to do."""
    if _has_no_connection(settings):
        found = await standing(settings)
        if not found.present:
            raise SchemaBehind(found, BY_HAND)
        return found
    async with _owner(settings) as url:
        before = await of_database(url)
        await migrated(url, settings)
        return before


async def script(settings: Settings) -> str:
    """The whole way from an empty database to the newest revision, and whose tokens are ours there, as SQL."""
    from adapters.postgres.issuer import function
    from adapters.postgres.migrations import offline_sql

    return f"{await asyncio.to_thread(offline_sql)}\n{function(settings.token_issuer)};\n"


def _has_no_connection(settings: Settings) -> bool:
    return settings.storage is Storage.SUPABASE and settings.database_url is None


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
