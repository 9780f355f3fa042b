"""Houses to fuzz, on memory and on PostgreSQL, whose town can be put back as it was in a moment."""

import asyncio
import copy
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from adapters.persistence.schema import TABLES
from adapters.postgres.migrations import migrate
from tests.rest.world import World, opened
from tests.support.servers import Servers

Keep = Callable[[World], Awaitable[Callable[[], Awaitable[None]]]]
"""Saves a town; what it gives back restores it."""


@contextmanager
def in_memory(runner: asyncio.Runner) -> Iterator[tuple[World, Keep]]:
    """A house whose rows are in this process."""
    with tempfile.TemporaryDirectory() as folder:
        opening = opened(Path(folder))
        world = runner.run(opening.__aenter__())
        try:
            yield world, _tables_kept
        finally:
            runner.run(opening.__aexit__(None, None, None))


@contextmanager
def on_postgres(runner: asyncio.Runner) -> Iterator[tuple[World, Keep]]:
    """A house on a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory(prefix="guildhall-fuzz-") as folder:
        Path(folder).chmod(0o711)
        servers = Servers(Path(folder), migrate)
        try:
            with servers.get("18").clone() as url, on_database(runner, url) as found:
                yield found
        finally:
            servers.leave()


@contextmanager
def on_database(runner: asyncio.Runner, url: str) -> Iterator[tuple[World, Keep]]:
    """A house on this migrated database, by its owner's address."""
    with tempfile.TemporaryDirectory() as folder:
        opening = opened(Path(folder), storage="postgres", database_url=url)
        world = runner.run(opening.__aenter__())
        try:
            yield world, lambda world: _rows_kept(url)
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def _tables_kept(world: World) -> Callable[[], Awaitable[None]]:
    store = world.house.container.store()
    saved = copy.deepcopy(store.tables)

    async def restore() -> None:
        store.tables = copy.deepcopy(saved)

    return restore


async def _rows_kept(url: str) -> Callable[[], Awaitable[None]]:
    """Copies of all tables beside them; the owner may set the triggers aside that keep rows from being replaced."""
    connection = await asyncpg.connect(url)
    columns: dict[str, str] = {}
    await connection.execute("create schema town")
    for table in TABLES:
        rows = await connection.fetch(
            "select column_name from information_schema.columns where table_schema = 'public' and table_name = $1"
            " and is_generated = 'NEVER' order by ordinal_position",
            table,
        )
        columns[table] = ", ".join(f'"{row[0]}"' for row in rows)
        await connection.execute(f"create table town.{table} as select {columns[table]} from public.{table}")
    await connection.close()

    async def restore() -> None:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute("set local session_replication_role = replica")
                for table in TABLES:
                    await connection.execute(f"delete from public.{table}")
                for table, named in columns.items():
                    await connection.execute(f"insert into public.{table} ({named}) select {named} from town.{table}")
        finally:
            await connection.close()

    return restore
