"""A town that was lived in, and the same town in a database without a guard, for anybody to spoil."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Row
from adapters.postgres.rules import PostgresRules
from adapters.postgres.values import quoted, sent, use_json
from tests.contracts.rows import Rows
from tests.rules.lives import Tables, Town, town_rows

UNGUARDED = """
do $$ declare found record; begin
  for found in select conrelid::regclass as of, conname from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('c', 'u', 'x', 'f') order by contype = 'u'
  loop execute format('alter table %s drop constraint %I cascade', found.of, found.conname); end loop;
  for found in select indexrelid::regclass as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and i.indisunique and not i.indisprimary
  loop execute format('drop index %s', found.name); end loop;
  for found in select tgrelid::regclass as of, tgname from pg_trigger where not tgisinternal
  loop execute format('drop trigger %I on %s', found.tgname, found.of); end loop;
end $$
"""


class Shop:
    """One connection to a database without a guard; what is done in a block is undone after it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.rules = PostgresRules(self)  # type: ignore[arg-type]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """For the reader, which asks as the house."""
        yield self._connection

    @asynccontextmanager
    async def with_(self, changes: Iterable[tuple[str, Row | None, Row | None]]) -> AsyncIterator[PostgresRules]:
        """The reader, while these changes are there."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            for table, was, row in changes:
                if was is not None:
                    key = "name" if table == "tallies" else "id"
                    await self._connection.execute(f"delete from {table} where {key} = $1", was[key])
                if row is not None:
                    await self.put(table, [row])
            await self._connection.execute("set local role service_role")
            yield self.rules
        finally:
            await transaction.rollback()

    async def put(self, table: str, rows: Iterable[Row]) -> None:
        """These rows, as they are."""
        names = TABLES[table].names
        columns, values = ", ".join(map(quoted, names)), ", ".join(f"${n}" for n in range(1, len(names) + 1))
        rows = [tuple(sent(row[name]) for name in names) for row in rows]
        await self._connection.executemany(f"insert into {table} ({columns}) values ({values})", rows)


@asynccontextmanager
async def shop_at(url: str) -> AsyncIterator[Shop]:
    """A shop in that database."""
    connection = await asyncpg.connect(url)
    try:
        await use_json(connection)
        yield Shop(connection)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The town as it was left, with one message of the gateway in its inbox; not to be changed."""
    tables, now = town_rows(tmp_path_factory.mktemp("lived-in"))
    webhook = Rows("webhook").row("webhooks", outcome="settled", processed_at=now)
    written = Rows("webhook").row("audit", subject_table="webhooks", subject_id=webhook["id"], action="made")
    last = max(tables["audit"].values(), key=lambda row: row["position"])
    written |= {"position": last["position"] + 1, "hash": "0" * 64}
    tables["webhooks"][webhook["id"]] = webhook
    tables["audit"][written["id"]] = written
    return Town(tables, now)


@pytest.fixture
def town(healthy: Town) -> Town:
    """A copy of it to spoil."""
    tables: Tables = {name: dict(rows) for name, rows in healthy.tables.items()}
    return Town(tables, healthy.now)


def _unguarded(url: str, tables: Tables) -> None:
    async def do() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(UNGUARDED)
        await connection.close()
        async with shop_at(url) as shop:
            for table, rows in tables.items():
                await shop.put(table, rows.values())

    asyncio.run(do())


@pytest.fixture(scope="session")
def spoilt_town(postgres_server: Any, healthy: Town) -> Iterator[str]:
    """The town in a database without a guard."""
    with postgres_server.clone() as url:
        _unguarded(url, healthy.tables)
        yield url


@pytest.fixture(scope="session")
def spoilt_nothing(postgres_server: Any) -> Iterator[str]:
    """An empty database without a guard."""
    with postgres_server.clone() as url:
        _unguarded(url, {})
        yield url


@pytest.fixture
async def shop(spoilt_town: str) -> AsyncIterator[Shop]:
    """A shop in the town."""
    async with shop_at(spoilt_town) as opened:
        yield opened


@pytest.fixture
async def empty_shop(spoilt_nothing: str) -> AsyncIterator[Shop]:
    """A shop where nothing is."""
    async with shop_at(spoilt_nothing) as opened:
        yield opened
