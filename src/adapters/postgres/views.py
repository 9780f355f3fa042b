"""Rows as one actor may see them: row-level security decides, under the role and claims of who asks."""

from collections.abc import Sequence

import orjson

from adapters.persistence.schema.tables import Row
from adapters.persistence.shown import shown_to
from adapters.persistence.store import Views
from adapters.postgres.pools import Pools
from adapters.postgres.selects import select
from adapters.postgres.values import received
from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor, Kind


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
        statement, arguments = select(source, wanted, criteria, order, after, limit, claims=_claims(actor))
        pool = {Kind.ANONYMOUS: self._pools.public, Kind.USER: self._pools.users}.get(actor.kind, self._pools.house)
        async with pool.reading() as connection:
            records = await connection.fetch(statement.sql, *arguments)
        return [received(record, statement.spans) for record in records]


def _claims(actor: Actor) -> str | None:
    """Who asks, for the policies; only a user has to say. The id is ours, and so the issuer is."""
    if actor.kind is not Kind.USER:
        return None
    return orjson.dumps({"iss": "guildhall", "sub": str(actor.user_id), "role": "authenticated"}).decode()
