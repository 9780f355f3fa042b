"""Stores with a bug planted in them: what was tried, measured and given up. Each must be caught."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Insert, Numbers, Update, Write
from adapters.postgres.pools import Pool
from adapters.postgres.store import PostgresStore
from domain.shared.errors import StaleVersion


class Rewriting(Pool):
    """A pool whose statements have one piece of SQL exchanged for another."""

    def __init__(self, pool: Pool, old: str, new: str) -> None:
        self._sound = pool
        self.old, self.new = old, new
        self.rewritten = 0

    async def lend(self, *, first: bool = False) -> Any:
        """A connection that says something else."""
        return _Rewritten(await self._sound.lend(first=first), self)

    def take_back(self, connection: Any, *, sound: bool) -> None:
        self._sound.take_back(connection.sound, sound=sound)


class _Rewritten:
    def __init__(self, connection: Any, pool: Rewriting) -> None:
        self.sound, self._pool = connection, pool

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        return await self.sound.fetch(self._other(sql), *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        return await self.sound.fetchval(self._other(sql), *arguments)

    async def execute(self, sql: str, *arguments: Any) -> Any:
        return await self.sound.execute(self._other(sql), *arguments)

    def transaction(self, **options: Any) -> Any:
        return self.sound.transaction(**options)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        return await self.sound.fetchrow(self._other(sql), *arguments)

    def _other(self, sql: str) -> str:
        self._pool.rewritten += self._pool.old in sql
        return sql.replace(self._pool.old, self._pool.new)


def guards_read_plainly(pool: Pool) -> Rewriting:
    """Guards look at rows without locking them, and so at a past in which the wait had not happened."""
    return Rewriting(pool, "for share of t", "")


def nobody_locks(pool: Pool) -> Rewriting:
    """Locks are named and not taken: the exclusion constraint alone keeps the peace."""
    return Rewriting(pool, "pg_advisory_xact_lock(hashtextextended(key, 0))", "key")


def claims_without_order(pool: Pool) -> Rewriting:
    """Whatever is due is handed out, whether or not an earlier event of its aggregate is finished."""
    return Rewriting(pool, "(scheduled or not exists (", "(true or not exists (")


def claims_wait_for_each_other(pool: Pool) -> Rewriting:
    """A claimer waits for rows that another is leasing, instead of passing them by."""
    return Rewriting(pool, "for update skip locked", "for update")


def claims_outlive_their_transaction(pool: Pool) -> Rewriting:
    """The asker's claims are set for the session, which the next asker gets."""
    return Rewriting(pool, "request.jwt.claims', $1::VARCHAR, true)", "request.jwt.claims', $1::VARCHAR, false)")


class CursorOutbox(PostgresStore):
    """Reads the outbox like a log: on from the last id it has seen."""

    def __init__(self, pool: Pool) -> None:
        self._rewriting = Rewriting(pool, "where finished_at is null", "where finished_at is null")
        self._seen = UUID(int=0)
        super().__init__(self._rewriting)

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> list[Row]:
        self._rewriting.new = f"where id > '{self._seen}' and finished_at is null"
        rows = list(await super().claim(now=now, lease=lease, limit=limit))
        self._seen = max([self._seen, *(row["id"] for row in rows)])
        return rows


class CounterByVersion(PostgresStore):
    """Numbers come from the version of the conversation, which the commit expects unchanged; with three tries."""

    async def commit(self, changes: Changes) -> Numbers:
        for _ in range(2):
            try:
                return await super().commit(await self._counted(changes))
            except StaleVersion:
                continue
        return await super().commit(await self._counted(changes))

    async def _counted(self, changes: Changes) -> Changes:
        writes: list[Write] = []
        for write in changes.writes:
            if isinstance(write, Insert) and write.numbers:
                conversation = (await self.load("conversations", {"id": write.row["conversation_id"]}))[0]
                number = conversation["version"]
                writes.append(Update("conversations", {**conversation, "version": number + 1}, number))
                writes.append(Insert(write.table, {**write.row, "sequence": number}))
            else:
                writes.append(write)
        return replace(changes, tallies=(), writes=tuple(writes))
