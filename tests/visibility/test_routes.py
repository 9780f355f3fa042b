"""The API and a front end that reads directly show everybody the same."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgrest import PostgREST
from tests.visibility.api import Doors, compare, doors
from tests.visibility.routes import NO_ROWS, ROUTES, Shows
from tests.visibility.world import World

THESE = ("anonymous", "max", "root", "ann, signed out")
"""Who asks in `make test`; in `make prove` everybody does."""


@pytest.fixture
async def both(furnished: str, rest: PostgREST, tmp_path: Path) -> AsyncIterator[Doors]:
    """The API and PostgREST, in front of the world."""
    async with doors(furnished, rest, tmp_path) as opened:
        yield opened


async def test_every_route_that_reads_says_what_it_shows(both: Doors) -> None:
    assert set(both.paths) == ROUTES.keys() | NO_ROWS.keys()


async def test_what_the_api_shows_is_read_directly_and_nothing_else(both: Doors, here: World) -> None:
    counts: Counter[str] = Counter()
    for route in ROUTES:
        for name in THESE:
            compared = await compare(both, here, here.named(name), route)
            assert compared.complaints == []
            counts += compared.counts
    assert counts["values"] > 1_500
    assert counts["turned away"] > 100


async def test_a_difference_would_be_seen(both: Doors, here: World) -> None:
    """The twin: where a direct client looks elsewhere than the API, or for less, both are told."""
    root = here.named("root")
    for route, elsewhere in (
        ("jobs-search", Shows(source="job_listings")),
        ("payments-search", Shows(source="payments", where={"state": "eq.failed"})),
        ("reviews-mine", Shows(source="review_cards", renamed={"text": "side"}, where={"author_id": "eq.{me}"})),
    ):
        who = here.named("ann") if route == "reviews-mine" else root
        assert (await compare(both, here, who, route, elsewhere)).complaints, route
