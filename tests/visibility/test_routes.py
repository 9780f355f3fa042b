"""The API and a front end that reads directly show everybody the same."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgrest import PostgREST
from tests.visibility.api import Doors, compare, doors
from tests.visibility.routes import NO_ROWS, ROUTES
from tests.visibility.world import World


@pytest.fixture
async def both(furnished: str, rest: PostgREST, tmp_path: Path) -> AsyncIterator[Doors]:
    """The API and PostgREST, in front of the world."""
    async with doors(furnished, rest, tmp_path) as opened:
        yield opened


async def test_every_route_that_reads_says_what_it_shows(both: Doors) -> None:
    assert set(both.paths) == ROUTES.keys() | NO_ROWS.keys()


async def test_what_the_api_shows_is_read_directly_and_nothing_else(both: Doors, here: World) -> None:
    counts: Counter[str] = Counter()
    complaints = []
    for route in ROUTES:
        for identity in (*here.clients, *here.devices):
            compared = await compare(both, here, identity, route)
            counts += compared.counts
            complaints += compared.complaints
    assert complaints == []
