"""What pairs are played on: PostgreSQL, and the memory store."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.rules import RULES, judge_all
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Insert, Store, Views
from adapters.postgres.pools import Pools
from adapters.postgres.store import PostgresStore
from adapters.postgres.values import use_json
from adapters.postgres.views import PostgresViews
from tests.proof.schedules.gate import GatedStore, GatedViews, HoldingPool, Walker, never
from tests.proof.schedules.playing import Ground
from tests.proof.schedules.scenes import Scene

MakePostgres = Callable[[Any], Store]
AFRESH = 150
"""Schedules after which the tables are emptied for good, rather than their rows deleted."""

_CHECKS = {
    "B1: two bookings overlap": """
        select 1 from bookings a join bookings b on a.provider_id = b.provider_id and a.id < b.id
        where a.active and b.active and a.occupancy <> b.occupancy and a.blocked && b.blocked""",
    "B2: more seats than there are": """
        select 1 from bookings where active and capacity > 1 group by occupancy having sum(seats) > min(capacity)""",
    "B2: seats are not counted": """
        select 1 from bookings b left join tallies t on t.name = 'seats:' || b.occupancy
        where active and capacity > 1 group by occupancy, t.value having sum(seats) is distinct from t.value""",
    "B3: confirmed and not paid": "select 1 from bookings where state = 'confirmed' and terms = 'prepaid' and not paid",
    "M1: a transaction does not sum to zero": """
        select 1 from ledger group by transaction_id having sum(amount_minor) <> 0""",
    "M3: more is promised back than there is": """
        select 1 from payments where refunded_minor + refunding_minor > captured_minor or refunding_minor < 0""",
    "M3: promises and refunds differ": """
        select 1 from payments p left join refunds r on r.payment_id = p.id and r.state <> 'failed'
        group by p.id having p.refunding_minor + p.refunded_minor <> coalesce(sum(r.amount_minor), 0)""",
    "M4: two effects of one thing": "select 1 from ledger group by source_kind, source_id, account having count(*) > 1",
    "E1: two receipts of one command": "select 1 from receipts group by principal, operation, key having count(*) > 1",
    "R1: two reviews of one side": "select 1 from reviews group by booking_id, side having count(*) > 1",
    "C2: the numbers of a conversation have gaps": """
        select 1 from messages group by conversation_id having max(sequence) <> count(*) or min(sequence) <> 1""",
    "A1: not one current token per session": """
        select 1 from sessions s join refresh_tokens r on r.session_id = s.id
        where s.revoked_at is null group by s.id
        having count(*) filter (where r.rotated_at is null and r.revoked_at is null) <> 1""",
    "an organization without an owner": """
        select 1 from organizations o where not exists (
          select 1 from memberships m where m.organization_id = o.id and m.role = 'owner')""",
    "E5: two events of one aggregate at one place": """
        select 1 from outbox where not scheduled
        group by subject_table, subject_id, subject_version, position having count(*) > 1""",
}
"""Some rules in words of our own, so that not all hangs on one reading; each finds rows where one is broken."""

_QUESTIONS = {**_CHECKS, **{f"{rule.code}: {rule.name}": rule.sql for rule in RULES}}


class PostgresGround(Ground):
    """A database of PostgreSQL. `make` builds the store on the gated pool."""

    def __init__(self, owner: Any, pools: Pools, make: MakePostgres) -> None:
        self.name = "postgres"
        self.owner, self._pools, self._make = owner, pools, make
        self._resets: dict[str, str] = {}
        self._played = 0

    async def waits(self, pid: int) -> bool:
        kind = await self.owner.fetchval("select wait_event_type from pg_stat_activity where pid = $1", pid)
        return bool(kind == "Lock")

    async def reset(self, scene: Scene) -> None:
        if scene.name not in self._resets:
            await self.owner.execute(_emptied())
            await self._keep(scene)
        self._played += 1
        emptied = _emptied() if self._played % AFRESH == 0 else _deleted()
        await self.owner.execute(f"{emptied} {self._resets[scene.name]}")

    async def _keep(self, scene: Scene) -> None:
        """Store the scene's rows once, by a commit of the store itself, and keep a copy of each table."""
        inserts = tuple(Insert(table, row) for table, some in scene.rows.items() if table != "tallies" for row in some)
        await PostgresStore(self._pools.house).commit(Changes(writes=inserts))
        for row in scene.rows["tallies"]:
            await self.owner.execute(
                "insert into tallies (name, value, ceiling) values ($1, $2, $3)",
                row["name"],
                row["value"],
                row["ceiling"],
            )
        kept = [table for table, some in scene.rows.items() if some]
        space = f"kept_{scene.name}"
        await self.owner.execute(f"create schema {space}")
        puts = []
        for table in kept:
            columns = await self.owner.fetchval(
                "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
                " where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'",
                table,
            )
            await self.owner.execute(f"create unlogged table {space}.{table} as select {columns} from public.{table}")
            puts.append(f"insert into public.{table} ({columns}) select {columns} from {space}.{table};")
        self._resets[scene.name] = " ".join(puts)

    def stores(self, walker: Walker) -> tuple[Store, Views]:
        store = self._make(HoldingPool(self._pools.house, walker))
        return GatedStore(store, walker), GatedViews(PostgresViews(self._pools), walker)

    async def rows(self) -> Mapping[str, Sequence[Row]]:
        parts = (f"select '{table}' as name, to_jsonb(t) as row from {table} t" for table in TABLES)
        found: dict[str, list[Row]] = {table: [] for table in TABLES}
        for record in await self.owner.fetch(" union all ".join(parts)):
            found[record["name"]].append(record["row"])
        return found

    async def broken(self) -> list[str]:
        parts = (f"select {n} as n where exists ({sql})" for n, sql in enumerate(_QUESTIONS.values()))
        names = list(_QUESTIONS)
        return [names[record["n"]] for record in await self.owner.fetch(" union all ".join(parts))]


def _emptied() -> str:
    return f"truncate {', '.join(TABLES)} cascade;"


def _deleted() -> str:
    return " ".join(f"delete from {table};" for table in TABLES)


@asynccontextmanager
async def on_postgres(url: str, make: MakePostgres = PostgresStore) -> AsyncIterator[PostgresGround]:
    """A ground on that database. Its owner's connection looks at no trigger and no reference, to put rows back."""
    owner = await asyncpg.connect(url)
    await use_json(owner)
    database = await owner.fetchval("select current_database()")
    await owner.execute(f"alter database {database} set deadlock_timeout = '20ms'")
    await owner.execute("set session_replication_role = replica")
    pools = Pools.of(url, house=4, public=1, users=2)
    try:
        yield PostgresGround(owner, pools, make)
    finally:
        await pools.close()
        await owner.close()


class MemoryGround(Ground):
    """The memory store, filled anew each time."""

    def __init__(self) -> None:
        self.name = "memory"
        self.waits = never
        self._store = MemoryStore()

    async def reset(self, scene: Scene) -> None:
        self._store = MemoryStore()
        self._store.fill(scene.rows)

    def stores(self, walker: Walker) -> tuple[Store, Views]:
        return GatedStore(self._store, walker), GatedViews(MemoryViews(self._store), walker)

    async def rows(self) -> Mapping[str, Sequence[Row]]:
        return {table: list(kept.rows.values()) for table, kept in self._store.tables.items()}

    async def broken(self) -> list[str]:
        found = judge_all({table: kept.rows for table, kept in self._store.tables.items()})
        return sorted({f"{each.code}: {each.name}" for each in found})
