"""Stores with a bug: each leaves out one thing that a race is won by. Nothing here has a switch in the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Insert, Numbers
from adapters.postgres.store import PostgresStore
from application.ports.criteria import Order
from tests.planted.stores import Rewriting


class WithoutLocks(PostgresStore):
    """No advisory lock: commits that want the same time run into each other at the constraint."""

    async def commit(self, changes: Changes) -> Numbers:
        return await super().commit(replace(changes, locks=()))


class WithoutGuards(PostgresStore):
    """What was only read may have changed."""

    async def commit(self, changes: Changes) -> Numbers:
        return await super().commit(replace(changes, guards=()))


class WithoutCeilings(PostgresStore):
    """Seats are counted, and that is all."""

    async def commit(self, changes: Changes) -> Numbers:
        return await super().commit(
            replace(changes, tallies=tuple(replace(tally, ceiling=None) for tally in changes.tallies))
        )


class CountingByLooking(PostgresStore):
    """The next number is the highest there is, plus one."""

    async def commit(self, changes: Changes) -> Numbers:
        numbered = [write for write in changes.writes if isinstance(write, Insert) and write.table == "messages"]
        for write in numbered:
            where = {"conversation_id": write.row["conversation_id"]}
            last = await self.load("messages", where, order=Order("sequence", descending=True), limit=1)
            number = last[0]["sequence"] + 1 if last else 1
            plain = tuple(replace(each, numbers={}) if isinstance(each, Insert) else each for each in changes.writes)
            changes = replace(changes, tallies=(), writes=plain)
            write.row["sequence"] = number
            await super().commit(changes)
            return {f"messages:{write.row['conversation_id']}": number}
        return await super().commit(changes)


class NumberingByLooking(PostgresStore):
    """The next invoice is the highest there is, plus one."""

    async def commit(self, changes: Changes) -> Numbers:
        papers = [write for write in changes.writes if isinstance(write, Insert) and write.table == "papers"]
        if not papers:
            return await super().commit(changes)
        (paper,) = papers
        where = {name: paper.row[name] for name in ("organization_id", "kind", "year")}
        last = await self.load("papers", where, order=Order("sequence", descending=True), limit=1)
        number = last[0]["sequence"] + 1 if last else 1
        series = paper.numbers["sequence"]
        plain = tuple(replace(each, numbers={}) if isinstance(each, Insert) else each for each in changes.writes)
        paper.row["sequence"] = number
        await super().commit(replace(changes, tallies=(), writes=plain))
        return {series: number}


class ClaimingInAnyOrder(PostgresStore):
    """An event does not wait for the earlier ones of its aggregate."""

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        claimed = """
            with due as (
              select id from outbox
              where finished_at is null and dead_at is null and due_at <= $1
                and (leased_until is null or leased_until <= $1)
              order by due_at, id limit $3 for update skip locked
            )
            update outbox o set version = o.version + 1, attempts = o.attempts + 1, leased_until = $2
            from due where o.id = due.id returning o.*
        """
        async with self._pool.reading() as connection:
            return [dict(row) for row in await connection.fetch(claimed, now, now + lease, limit)]


def leaving_out(words: str) -> Callable[[Any], PostgresStore]:
    """A store whose statements lack these words."""
    return lambda pool: PostgresStore(Rewriting(pool, words, ""))


with_plain_reads = leaving_out(" for share of t")
"""Guards read the snapshot from before the wait."""

without_versions = leaving_out(" and t.version = w.expected")
"""The last one to write wins."""
