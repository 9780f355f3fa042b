"""The stores under test, one behind the other: memory, PostgreSQL 18 (the embedded one), PostgreSQL 15, and Supabase's
PostgREST before an 18.

A test that takes `backend` runs on each of them, with nothing in it; one that takes `postgres` on those that have a
database, each with one of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from adapters.memory.search import MemoryJobSearch
from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.schema import TABLES
from adapters.persistence.store import Changes, Insert, Store, Views, Write
from adapters.postgres.pools import Pools
from adapters.postgres.search import PostgresJobSearch
from adapters.postgres.store import PostgresStore
from adapters.postgres.views import PostgresViews
from adapters.supabase.rest import Rest
from adapters.supabase.search import SupabaseJobSearch
from adapters.supabase.store import SupabaseStore
from adapters.supabase.tokens import ClientTokens, MintedTokens
from adapters.supabase.views import SupabaseViews
from adapters.system.clock import SystemClock
from application.ports.jobs import JobSearch
from domain.shared.errors import Refusal
from tests.support.house import House
from tests.support.postgrest import CROWD, PostgREST, postgrest
from tests.support.servers import Server, Servers

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MEMORY, EMBEDDED, FIFTEEN, SUPABASE = "memory", "postgres-18", "postgres-15", "supabase"
STORES = (MEMORY, EMBEDDED, FIFTEEN, SUPABASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One store with what reads from it; `url` is the owner's address where there is a database."""

    name: str
    store: Store
    views: Views
    job_search: JobSearch
    url: str = ""

    async def commit(self, *writes: Write, **rest: Any) -> dict[str, int]:
        """Commit these writes, and what else a change set has."""
        return await self.store.commit(Changes(writes=writes, **rest))

    async def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Commit these rows of one table."""
        await self.commit(*(Insert(table, row) for row in rows))

    async def rows(self, table: str, **criteria: object) -> list[dict[str, Any]]:
        """The rows of a table that match, by id."""
        return list(await self.store.load(table, criteria))

    def house(self, **ports: Any) -> House:
        """The whole business on this store."""
        return House(store=self.store, views=self.views, job_search=self.job_search, **ports)


def in_memory() -> Backend:
    """A fresh store in memory."""
    store = MemoryStore()
    return Backend(name=MEMORY, store=store, views=MemoryViews(store), job_search=MemoryJobSearch(store))


@asynccontextmanager
async def on_postgres(url: str, name: str = EMBEDDED, *, size: int = 4) -> AsyncIterator[Backend]:
    """The store on the database of this owner's address."""
    pools = Pools.of(url, house=size, public=2, users=2)
    try:
        yield Backend(
            name=name,
            store=PostgresStore(pools.house),
            views=PostgresViews(pools),
            job_search=PostgresJobSearch(pools),
            url=url,
        )
    finally:
        await pools.close()


@asynccontextmanager
async def on_supabase(rest: PostgREST, url: str = "", *, tokens: ClientTokens | None = None) -> AsyncIterator[Backend]:
    """The store on the project of this PostgREST."""
    asking = Rest(rest.project(), tokens or MintedTokens(rest.secret, SystemClock()), transport=rest.transport())
    try:
        yield Backend(
            name=SUPABASE,
            store=SupabaseStore(asking),
            views=SupabaseViews(asking),
            job_search=SupabaseJobSearch(asking),
            url=url,
        )
    finally:
        await asking.close()


@asynccontextmanager
async def on_database(url: str, name: str, *, size: int = 4) -> AsyncIterator[Backend]:
    """The store of that name on the database of this owner's address."""
    if name != SUPABASE:
        async with on_postgres(url, name, size=size) as made:
            yield made
        return
    with postgrest(url, connections=CROWD) as rest:
        async with on_supabase(rest, url) as made:
            yield made


def server_of(servers: Servers, name: str) -> Server:
    """The running server of a store's name."""
    return servers.get("18" if name == SUPABASE else name.removeprefix("postgres-"))


async def emptied(url: str) -> None:
    """Forget all rows of that database."""
    async with connected(url) as owner:
        await owner.execute(f"truncate {', '.join(TABLES)}")


@pytest.fixture(params=STORES)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """Every store in turn, empty."""
    if request.param == MEMORY:
        yield in_memory()
        return
    if request.param == SUPABASE:
        rest, url = request.getfixturevalue("standing_project")
        await emptied(url)
        async with on_supabase(rest, url) as made:
            yield made
        return
    servers: Servers = request.getfixturevalue("postgres_servers")
    with server_of(servers, request.param).clone() as url:
        async with on_postgres(url, request.param) as made:
            yield made


@pytest.fixture(params=STORES[1:])
async def postgres(request: pytest.FixtureRequest, postgres_servers: Servers) -> AsyncIterator[Backend]:
    """Every PostgreSQL in turn, empty, with room for a crowd."""
    with server_of(postgres_servers, request.param).clone() as url:
        async with on_database(url, request.param, size=16) as made:
            yield made


@asynccontextmanager
async def connected(url: str, role: str | None = None) -> AsyncIterator[Any]:
    """A connection of the test's own, as the owner or in another role."""
    settings = {"role": role} if role else {}
    connection = await asyncpg.connect(url, server_settings={**settings, "timezone": "UTC"}, timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 10) -> Any:
    """What the condition gives as soon as it gives something; fails when it does not in time."""
    async with asyncio.timeout(seconds):
        while not (given := await condition()):  # noqa: ASYNC110 - what another connection does raises no event here
            await asyncio.sleep(0.002)
        return given


async def outcome(doing: Awaitable[object]) -> str:
    """How it ended, in a line that is the same on every store: "done", or the refusal with all it says."""
    try:
        await doing
    except Refusal as refusal:
        return told(refusal)
    return "done"


def told(refusal: Refusal) -> str:
    """A refusal in a line: its kind and its numbers."""
    details = ", ".join(f"{name}={value}" for name, value in sorted(refusal.details.items()))
    return f"{type(refusal).__name__}({details})"
