"""The store on PostgreSQL: a load is one select, a commit is one statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Numbers, Store
from adapters.postgres import commits
from adapters.postgres.errors import AGAIN, refused
from adapters.postgres.pools import Pool
from adapters.postgres.selects import select
from adapters.postgres.values import received
from application.ports.criteria import Criteria, Order, Position
from domain.shared.errors import Conflict

TRIES = 3

_CLAIM = f"""
with due as (
  select id from outbox o
  where finished_at is null and dead_at is null and due_at <= $1 and (leased_until is null or leased_until <= $1)
    and (scheduled or not exists (
      select from outbox e
      where e.subject_id = o.subject_id and e.subject_table = o.subject_table
        and e.finished_at is null and not e.scheduled
        and (e.subject_version, e.position) < (o.subject_version, o.position)))
  order by due_at, id limit $3 for update skip locked
)
update outbox o set version = o.version + 1, attempts = o.attempts + 1, leased_until = $2
from due where o.id = due.id returning {", ".join(f"o.{name}" for name in TABLES["outbox"].names)}
"""


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

    async def commit(self, changes: Changes) -> Numbers:
        if changes == Changes():
            return {}
        sql, arguments = commits.statement(changes)
        for _ in range(TRIES):
            async with self._pool.connection() as connection:
                try:
                    record = await connection.fetchrow(sql, *arguments)
                except AGAIN:
                    continue
                except Exception as error:
                    raise (refused(error) or error) from error
            numbers = record and record["numbers"]
            return orjson.loads(numbers) if numbers else {}
        raise Conflict("too many at once; try again")

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        async with self._pool.reading() as connection:
            records = await connection.fetch(_CLAIM, now, now + lease, limit)
        return sorted((dict(record) for record in records), key=lambda row: (row["due_at"], row["id"]))
