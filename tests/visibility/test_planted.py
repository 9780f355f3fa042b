"""The matrix can fail: every policy, grant, view and function is weakened once, and each time it is noticed."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import orjson
import pytest

from adapters.persistence.schema.tables import Row
from adapters.postgres.policies import condition
from adapters.postgres.pools import Pools
from adapters.postgres.views import PostgresViews
from application.ports.criteria import Criteria, Order, Position
from application.visibility import VISIBILITY
from domain.shared.actors import Actor
from tests.planted.visibility import IMPLIED, KINDS, Harm, name, policies, touched
from tests.visibility.noticing import FUNCTIONS, kinds, unnoticed
from tests.visibility.world import World

SOME = 25
"""Of a kind in `make test`; in `make prove` all of it is done."""


async def test_the_policies_here_are_all_there_are(owner: Any) -> None:
    found = await owner.fetch("select tablename, policyname from pg_policies where schemaname = 'public'")
    assert {(row[0], row[1]) for row in found} == {(table, name(table, role)) for table, role in policies()}


@pytest.mark.parametrize("kind", [*KINDS, FUNCTIONS])
async def test_all_harm_is_noticed(kind: str, owner: Any, here: World) -> None:
    count, passed = await unnoticed(owner, here, some((await kinds(owner))[kind]))
    assert passed == []
    assert count > 5


def some(harms: Iterable[Harm]) -> list[Harm]:
    """All of it where there is little; of what is the same at every table, some."""
    found = list(harms)
    return found if len(found) <= SOME else Random(1).sample(found, SOME)


async def test_what_does_no_harm_is_not_noticed(owner: Any, here: World) -> None:
    harmless = [Harm("select 1", touched(table), writes=True, devices=True) for table in ("bookings", "jobs")]
    count, passed = await unnoticed(owner, here, harmless)
    assert count == len(passed)


async def test_what_is_said_to_be_implied_is(owner: Any, here: World) -> None:
    """Without these terms the same is seen."""
    for table in IMPLIED:
        kept = " or ".join(condition(term) for term in VISIBILITY[table][1:])
        harm = Harm(f"alter policy {table}_authenticated on {table} using ({kept})", touched(table))
        assert await unnoticed(owner, here, [harm]) == (1, [harm.statement])


class Leaking(PostgresViews):
    """Planted: the claims of who asked stay on the connection, for whoever comes next."""

    async def rows(
        self,
        actor: Actor,
        source: str,
        columns: Sequence[str],
        criteria: Criteria,
        *,
        order: Order,
        after: Position | None,
        limit: int,
    ) -> Sequence[Row]:
        claims = orjson.dumps({"iss": "guildhall", "sub": str(actor.user_id)}).decode()
        async with self._pools.users.connection() as connection:
            await connection.execute("select set_config('request.jwt.claims', $1, false)", claims)
        return await super().rows(actor, source, columns, criteria, order=order, after=after, limit=limit)


@asynccontextmanager
async def pools_of(url: str) -> AsyncIterator[Pools]:
    pools = Pools.of(url, house=1, public=1, users=1)
    yield pools
    await pools.close()


async def left_behind(views: PostgresViews, pools: Pools, here: World) -> int:
    """How many bookings the next one sees who says nothing about themselves, after Ann has looked at hers."""
    ann = Actor(user_id=here.people["ann"])  # type: ignore[arg-type]
    seen = await views.rows(ann, "bookings", ("id",), {}, order=Order(), after=None, limit=10)
    assert len(seen) == 2
    async with pools.users.connection() as connection:
        assert await connection.fetchval("select current_user") == "authenticated"
        return int(await connection.fetchval("select count(*) from bookings"))


async def test_nobody_inherits_the_claims_of_who_asked_before(furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        assert await left_behind(PostgresViews(pools), pools, here) == 0


async def test_claims_that_are_not_reset_are_noticed(furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        assert await left_behind(Leaking(pools), pools, here) == 2


@pytest.mark.parametrize("criteria", [{"id": "not an id"}, {"no_such_column": 1}])
async def test_nor_after_an_error(criteria: Criteria, furnished: str, here: World) -> None:
    async with pools_of(furnished) as pools:
        views = PostgresViews(pools)
        ann = Actor(user_id=here.people["ann"])  # type: ignore[arg-type]
        with pytest.raises(Exception, match=r"."):
            await views.rows(ann, "bookings", ("id",), criteria, order=Order(), after=None, limit=10)
        assert await left_behind(views, pools, here) == 0
