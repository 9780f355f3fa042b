"""Rows as one actor may see them: row-level security decides, under the role and claims of who asks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson

from adapters.persistence.schema.tables import Row
from adapters.persistence.shown import shown_to
from adapters.persistence.store import Views
from adapters.postgres.errors import unreadable
from adapters.postgres.pools import Connection, Pools
from adapters.postgres.selects import select
from adapters.postgres.values import received
from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor, Kind

CLAIM = "select set_config('request.jwt.claims', $1, true)"


@asynccontextmanager
async def seen_by(pools: Pools, actor: Actor) -> AsyncIterator[Connection]:
    """A connection that sees what this actor may see. Claims live for one transaction; errors become refusals."""
    pool = {Kind.ANONYMOUS: pools.public, Kind.USER: pools.users}.get(actor.kind, pools.house)
    async with pool.connection() as connection:
        try:
            if actor.kind is Kind.USER:
                claims = orjson.dumps({"sub": str(actor.user_id), "role": "authenticated"}).decode()
                async with connection.transaction(readonly=True):
                    await connection.execute(CLAIM, claims)
                    yield connection
            else:
                yield connection
        except Exception as error:
            raise (unreadable(error) or error) from error


class PostgresViews(Views):
    """Tables and views of the database, seen by an actor."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

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
        if not shown_to(actor, source):
            return []
        wanted = tuple(dict.fromkeys((*columns, order.by, "id")))
        statement, arguments = select(source, wanted, criteria, order, after, limit)
        async with seen_by(self._pools, actor) as connection:
            records = await connection.fetch(statement.sql, *arguments)
        return [received(record, statement.spans) for record in records]
