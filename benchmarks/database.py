"""The PostgreSQL everything is measured on: an embedded one of its own, with towns kept as templates between runs."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres.access import admit_app
from adapters.postgres.migrations import migrate, offline_sql
from adapters.postgres.server import EmbeddedServer
from benchmarks import town
from benchmarks.town import Sizes

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum": "off",
}
"""What differs from PostgreSQL's defaults. Durability does not: every commit is on disk before it is answered. No
checkpoint or vacuum falls into a round, to nobody's advantage."""


@dataclass(frozen=True, slots=True)
class Database:
    """One database, by its owner's address and by that of the login Guildhall uses."""

    owner_url: str
    app_url: str

    def ask(self, sql: str, *arguments: Any) -> list[Any]:
        """Run one statement as the owner; its rows."""
        return asyncio.run(_rows(self.owner_url, sql, *arguments))


class Cluster:
    """A running server, and the towns on it."""

    def __init__(self, owner_url: str, postmaster: int, told: Callable[[str], None]) -> None:
        self._owner_url, self.postmaster, self._told = owner_url, postmaster, told

    @contextmanager
    def town(self, sizes: Sizes) -> Iterator[Database]:
        """A fresh copy of the town of these sizes, built first where there is none from this week."""
        template = self._template(sizes)
        name = f"run_{sizes.name}"
        self._told(f"a copy of {template}")
        self._execute(f"drop database if exists {name} with (force)")
        self._execute(f"create database {name} template {template} strategy file_copy")
        url = self._address(name)
        try:
            # What was copied is written down now, not by a checkpoint in the middle of a round.
            self._execute("checkpoint")
            yield Database(url, asyncio.run(admit_app(url, "benchmark")))
        finally:
            self._execute(f"drop database {name} with (force)")

    @contextmanager
    def empty(self) -> Iterator[Database]:
        """A database of the newest schema with nothing in it."""
        self._execute("drop database if exists run_empty with (force)")
        self._execute("create database run_empty")
        url = self._address("run_empty")
        try:
            migrate(url)
            yield Database(url, asyncio.run(admit_app(url, "benchmark")))
        finally:
            self._execute("drop database run_empty with (force)")

    def _template(self, sizes: Sizes) -> str:
        now = datetime.now(UTC)
        week = f"{now:%G-%V}"
        made_from = offline_sql() + Path(town.__file__).read_text() + week
        template = f"town_{sizes.name}_{hashlib.sha256(made_from.encode()).hexdigest()[:8]}"
        known = [row[0] for row in self._execute("select datname from pg_database where datname like 'town%'")]
        for old in known:
            if re.match(rf"town_{sizes.name}_", old) and old != template:
                self._execute(f"drop database {old} with (force)")
        if template not in known:
            making = f"{template}_new"
            self._execute(f"drop database if exists {making} with (force)")
            self._execute(f"create database {making}")
            migrate(self._address(making))
            asyncio.run(town.build(self._address(making), sizes, now, self._told))
            self._execute(f"alter database {making} rename to {template}")
        return template

    def _address(self, database: str) -> str:
        return f"{self._owner_url.rpartition('/')[0]}/{database}"

    def _execute(self, statement: str) -> list[Any]:
        return asyncio.run(_rows(self._address("postgres"), statement))


@contextmanager
def cluster(folder: Path, told: Callable[[str], None]) -> Iterator[Cluster]:
    """The server on this folder, while the block lasts."""
    server = EmbeddedServer(folder, settings=SETTINGS)
    with server.use() as url:
        postmaster = server.postmaster()
        assert postmaster is not None
        yield Cluster(url, postmaster, told)


async def _rows(url: str, sql: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()
