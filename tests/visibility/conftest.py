"""The world of these tests, in a database of its own per module, and in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from tests.support.postgrest import PostgREST, postgrest
from tests.support.servers import Servers
from tests.visibility.probe import connected, furnish
from tests.visibility.world import World, world


@pytest.fixture(scope="module")
def here() -> World:
    """The marketplace that everybody asks about."""
    return world()


@pytest.fixture(scope="module")
def furnished(request: pytest.FixtureRequest, postgres_servers: Servers, here: World) -> Iterator[str]:
    """A database with the world in it, on PostgreSQL 18 or the version given by indirect parametrisation."""
    with postgres_servers.get(getattr(request, "param", "18")).clone() as url, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(furnish(url, here))).result()
        yield url


@pytest.fixture(scope="module")
def rest(furnished: str) -> Iterator[PostgREST]:
    """PostgREST in front of the world, where clients may ask for what they do to be undone."""
    with postgrest(furnished, db_tx_end="commit-allow-override") as running:
        yield running


@pytest.fixture
async def owner(furnished: str) -> AsyncIterator[Any]:
    """A connection of the database's owner, who can be anybody; what a test does there is undone."""
    async with connected(furnished) as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


@pytest.fixture
async def memory(here: World) -> MemoryStore:
    """A memory store with the world in it."""
    store = MemoryStore()
    await store.commit(here.rows.changes)
    return store
