"""A town of a hundred thousand rows, and whether two databases hold the same, asked without any of our words."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
from benchmarks.town import Sizes, build

from adapters.persistence.schema import MOVED

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


async def built(url: str, sizes: Sizes, house_rows: int) -> int:
    """Fill this database with a town of these sizes, and as many rows of the house's own tables; how many rows."""
    await build(url, sizes, NOW, lambda _: None)
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(_CREDENTIALS, NOW)
        for statement in _HOUSE:
            await connection.execute(statement, NOW, house_rows)
        await connection.execute("analyze")
        counts = " + ".join(f"(select count(*) from {table})" for table in MOVED)
        return int(await connection.fetchval(f"select {counts}"))
    finally:
        await connection.close()


_CREDENTIALS = """
insert into credentials (id, version, password_hash, changed_at, created_at)
select id, 1, '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$' || md5(id::text), $1, $1 from users
"""
_HOUSE = (
    """
insert into outbox (id, version, name, subject_table, subject_id, subject_version, position, payload, actor, created_at,
  due_at, scheduled, attempts, leased_until, finished_at, dead_at, last_error)
select gen_random_uuid(), 1, 'booking.confirmed', 'bookings', b.id, b.version, 0,
  jsonb_build_object('booking_id', b.id, 'note', 'é "' || b.reference, 'n', '[2.5, 9007199254740993]'::jsonb),
  'system', t, t, false, 1, null, t, null, null from (select $1::timestamptz as t) as now, bookings b limit $2
""",
    """
insert into audit (id, version, at, actor, action, subject_table, subject_id, subject_version, details, position, hash)
select gen_random_uuid(), 2, $1, 'system', 'booking.confirmed', 'bookings', b.id, b.version, '{}',
  row_number() over (), md5(b.id::text) from bookings b limit $2
""",
    """
insert into receipts (id, version, key, principal, operation, fingerprint, answer_table, answer, created_at, expires_at)
select gen_random_uuid(), 1, b.id::text, 'user:' || b.customer_id, 'BookSlot', md5(b.id::text), 'bookings',
  to_jsonb(b), t, t + interval '1 day' from (select $1::timestamptz as t) as now, bookings b limit $2
""",
    """
insert into tallies (name, value, ceiling)
select 'seats:' || n, 1, 12 from generate_series(1, $2::bigint / 10) n where $1::timestamptz is not null
""",
)


async def alike(one: str, other: str) -> list[str]:
    """The tables in which two databases differ, as their own text says it."""
    here, there = await texts(one), await texts(other)
    return [table for table in MOVED if here[table] != there[table]]


async def texts(url: str) -> dict[str, str]:
    """Every table weighed by the text of its rows."""
    connection: Any = await asyncpg.connect(url)
    try:
        return {
            table: await connection.fetchval(
                f"select concat_ws(' ', count(*), md5(string_agg(t::text, '|' order by t::text))) from {table} t"
            )
            for table in MOVED
        }
    finally:
        await connection.close()
