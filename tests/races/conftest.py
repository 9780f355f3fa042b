"""A town per test, in a database of its own. At its end no two commits may have blocked each other for good."""

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.postgres.pools import Pools
from tests.races.town import COMMITS_AT_ONCE, Town, connect, deadlocks


@pytest.fixture
async def town(database: str) -> AsyncIterator[Town]:
    """A marketplace on a database that nobody else uses."""
    owner = await connect(database)
    pools = Pools.of(database, house=COMMITS_AT_ONCE, public=1, users=2)
    try:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(204))) as client:
            made = Town(pools, owner, client)
            yield made
            made.books.close()
        await pools.close()
        if not made.is_planted:
            assert await deadlocks(owner) == 0
    finally:
        await owner.close()
