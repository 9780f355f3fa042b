"""The pieces of the campaign, each for a process of its own."""

import asyncio
from random import Random
from typing import Any

from adapters.postgres.pools import Pools
from adapters.postgres.search import PostgresJobSearch
from adapters.postgres.store import PostgresStore
from adapters.postgres.views import PostgresViews
from tests.planted.payments import PLANTED, instead
from tests.proof.databases import postgres
from tests.proof.stories.quiet import quietly
from tests.proof.stories.shares import STORIES
from tests.proof.stories.tales import Story
from tests.proof.stories.telling import Telling, messages_of, opened, tell, told_so, ways

MOST_PLANTED = 6
"""Orders of each story in which a planted bug has to show."""


def told(index: int, most: int | None) -> Telling:
    """One story in every order, in memory."""
    quietly()
    return asyncio.run(tell(STORIES[index], most=most))


def found(name: str) -> tuple[int, str] | None:
    """After how many runs, and in which story, that planted bug is noticed; None when it is not."""
    quietly()
    return asyncio.run(_found(name))


async def _found(name: str) -> tuple[int, str] | None:
    runs = 0
    for story in STORIES:
        result = await tell(story, most=MOST_PLANTED, instead=instead(PLANTED[name]), until_failed=True)
        runs += result.runs
        if result.failures:
            return runs, story.name
    return None


def told_on_postgres(orders: int, stories: int | None = None) -> list[Telling]:
    """Some orders of each story on PostgreSQL, each in a database of its own."""
    quietly()
    with postgres() as server:
        results = []
        for story in STORIES[:stories]:
            result = Telling(f"{story.name} (PostgreSQL)")
            for number in range(orders):
                with server.clone() as url:
                    asyncio.run(_told_on(url, story, number, result))
            if len(result.finals) > 1:
                result.failures.append(f"{len(result.finals)} final states")
            results.append(result)
    return results


async def _told_on(url: str, story: Story, number: int, result: Telling) -> None:
    pools = Pools.of(url, house=2, public=1, users=1)
    try:
        house: dict[str, Any] = {
            "store": PostgresStore(pools.house),
            "views": PostgresViews(pools),
            "job_search": PostgresJobSearch(pools),
        }
        async with opened(**house) as shop:
            await story.play(shop)
            messages = messages_of(story, await shop.untold())
            order = tuple(Random(number).sample(messages, len(messages)))
            way = list(ways(story, order, number))[number % 2]
            result.messages, result.orders, result.runs = len(messages), result.orders + 1, result.runs + 1
            result.finals.setdefault(await told_so(story, shop, way), str(way))
    except AssertionError as error:
        result.failures.append(str(error))
    finally:
        await pools.close()
