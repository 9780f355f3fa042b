"""The store on PostgreSQL: a load is one select, a commit is one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Numbers, Store
from adapters.postgres import claims, commits
from adapters.postgres.errors import AGAIN
from adapters.postgres.pools import Pool
from adapters.postgres.selects import counting, select
from adapters.postgres.values import received
from application.ports.criteria import Criteria, Order, Position
from domain.shared.errors import Conflict

TRIES = 3


class PostgresStore(Store):
    """Reads and commits as the house itself: commands are judged by the aggregates' verbs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        if table == "tallies" and order.by == "id":
            order = Order("name", order.descending)
        statement, arguments = select(table, TABLES[table].names, criteria, order, after, limit)
        async with self._pool.reading() as connection:
            records = await connection.fetch(statement.sql, *arguments)
        return [received(record, statement.spans) for record in records]

    async def count(self, table: str, criteria: Criteria) -> int:
        statement, arguments = counting(table, criteria)
        async with self._pool.reading() as connection:
            found: int = await connection.fetchval(statement.sql, *arguments)
        return found

    async def commit(self, changes: Changes) -> Numbers:
        if changes == Changes():
            return {}
        sql, arguments = commits.statement(changes)
        for _ in range(TRIES):
            try:
                async with self._pool.writing() as connection:
                    record = await connection.fetchrow(sql, *arguments)
            except AGAIN:
                continue
            numbers = record and record["numbers"]
            return orjson.loads(numbers) if numbers else {}
        raise Conflict("too many at once; try again")

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        async with self._pool.reading() as connection:
            records = await connection.fetch(claims.STATEMENT, now, now + lease, limit)
        return sorted((dict(record) for record in records), key=lambda row: (row["due_at"], row["id"]))
