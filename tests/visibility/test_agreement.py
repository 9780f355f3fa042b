"""Two enforcers of one rule: what memory and PostgreSQL decide about random people and random rows is the same."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.schema import TABLES, VIEWS, columns_of
from adapters.persistence.schema.tables import Row
from adapters.persistence.shown import private
from adapters.persistence.store import Views
from adapters.postgres.pools import Pools
from adapters.postgres.store import PostgresStore
from adapters.postgres.views import PostgresViews
from application.ports.criteria import Order, Position, Present
from application.visibility import VISIBILITY
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.ids import UserId
from tests.visibility.crowds import crowd
from tests.visibility.rows import Rows

SOURCES = [source for source in (*VISIBILITY, *VIEWS) if source not in ("tallies", "receipts")]


class Both:
    """The same rows in memory and in PostgreSQL."""

    def __init__(self, rows: Rows, memory: Views, postgres: Views) -> None:
        self.rows, self.memory, self.postgres = rows, memory, postgres

    @property
    def actors(self) -> list[Actor]:
        users = [Actor(user_id=UserId(row["id"])) for row in self.rows.of("users")]
        return [*users, Actor(user_id=UserId(uuid4())), ANONYMOUS, SYSTEM]


@pytest.fixture(params=[1, 2, 3])
async def both(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Both]:
    rows, store, pools = crowd(request.param), MemoryStore(), Pools.of(database, house=1, public=1, users=1)
    await store.commit(rows.changes)
    await PostgresStore(pools.house).commit(rows.changes)
    yield Both(rows, MemoryViews(store), PostgresViews(pools))
    await pools.close()


async def everything(views: Views, actor: Actor, source: str, order: Order) -> list[Row]:
    """All that this actor sees there, with every column that may be asked for."""
    columns = [name for name in columns_of(source) if actor is SYSTEM or name not in private(source)]
    return list(await views.rows(actor, source, columns, {}, order=order, after=None, limit=10_000))


async def test_memory_and_postgres_show_everybody_the_same_rows(both: Both) -> None:
    decisions, shown = 0, 0
    for source in SOURCES:
        whole = len(both.rows.of(VIEWS[source].base if source in VIEWS else source))
        assert whole, source
        for actor in both.actors:
            ours = await everything(both.memory, actor, source, Order())
            theirs = await everything(both.postgres, actor, source, Order())
            assert ours == theirs, (source, actor)
            decisions, shown = decisions + whole, shown + len(ours)
    assert decisions > 8_000
    assert decisions / 5 < shown < decisions * 4 / 5, "nearly all or nearly nothing shown proves little"


async def test_pages_of_the_two_begin_and_end_at_the_same_rows(both: Both) -> None:
    for source, by in (("job_listings", "title"), ("review_cards", "created_at"), ("inbox", "last_sequence")):
        for actor in both.actors[::4]:
            for order in (Order(by), Order(by, descending=True)):
                pages = [await paged(views, actor, source, order) for views in (both.memory, both.postgres)]
                assert pages[0] == pages[1], (source, actor, order)


async def paged(views: Views, actor: Actor, source: str, order: Order) -> list[list[UUID]]:
    pages: list[list[UUID]] = []
    after: Position | None = None
    criteria = {} if order.by == "created_at" else {order.by: Present()}
    while not pages or len(pages[-1]) == 5:
        rows = await views.rows(actor, source, ("id",), criteria, order=order, after=after, limit=5)
        pages.append([row["id"] for row in rows])
        after = (rows[-1][order.by], rows[-1]["id"]) if rows else after
    return pages


def test_every_table_takes_part() -> None:
    assert {table for table in TABLES if table not in SOURCES} == {"tallies", "receipts"}
