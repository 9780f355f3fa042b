"""Who sees and writes what: table or view x identity x verb, by SQL, and through the readers of every store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import make_dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.readers import StoredReaders
from adapters.persistence.schema import TABLES, VIEWS
from adapters.persistence.shown import private
from adapters.persistence.store import Views
from adapters.postgres.pools import Pools
from adapters.postgres.views import PostgresViews
from application.ports.criteria import Order
from application.visibility import VISIBILITY
from domain.shared.actors import SYSTEM, Actor, Kind
from tests.support.servers import VERSIONS, Server
from tests.visibility.expectations import PRIVATE, VIEWS_SHOW, seen, sources
from tests.visibility.probe import SEARCH, asking, complaints, connected, furnish, misfits, touched
from tests.visibility.world import Identity, World

versions = pytest.mark.parametrize("furnished", VERSIONS, indirect=True)
OPERATOR = Actor(kind=Kind.OPERATOR, name="tests")


@pytest.fixture(params=["memory", "postgres"])
async def views(request: pytest.FixtureRequest, memory: MemoryStore, furnished: str) -> AsyncIterator[Views]:
    if request.param == "memory":
        yield MemoryViews(memory)
        return
    pools = Pools.of(furnished, house=1, public=1, users=1)
    yield PostgresViews(pools)
    await pools.close()


async def test_every_table_view_and_function_has_an_expectation(owner: Any) -> None:
    found = await owner.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r','v','m','p','f')"
    )
    assert {row["relname"] for row in found} == set(sources())
    assert set(VISIBILITY) == set(TABLES)
    assert set(VIEWS_SHOW) == set(VIEWS)
    assert await misfits(owner) == []


@versions
@pytest.mark.parametrize("source", [*sources(), SEARCH])
async def test_everybody_sees_and_writes_what_is_theirs_to(source: str, owner: Any, here: World) -> None:
    assert await complaints(owner, here, [source]) == []


def test_the_world_tells_the_identities_apart(here: World) -> None:
    """Who sees as much as another everywhere proves nothing of their own."""
    visions = {one.name: tuple(len(seen(here, one, source)) for source in sources()) for one in here.identities}
    # Those who manage, those who are as good as anonymous, customers, and those whose token names a session that lasts.
    nobodies = {each.name for each in here.identities if each.role == "authenticated" and not each.welcome}
    assert {"sue", "tom", "sam", "ann, signed out", "root, of somebody else"} < nobodies
    alike = [
        {"max", "olga"},
        {"anonymous", *nobodies},
        {"ann", "bob", "ann, signed in"},
        {"root", "root, signed in"},
        {"vera", "vera, by another issuer"},
    ]
    assert all(len({visions[name] for name in group}) == 1 for group in alike)
    assert len(set(visions.values())) == len(visions) - sum(len(group) - 1 for group in alike)


async def test_the_readers_of_every_store_show_the_same(views: Views, here: World) -> None:
    readers = StoredReaders(views)
    for source in (*TABLES, *VIEWS):
        view: Any = make_dataclass("Seen", [("id", UUID)], namespace={"source": source})
        for identity in (*here.clients, *(each for each in here.identities if each.name == "service")):
            if source == "tallies" and identity.name == "service":
                continue  # Only stores read it, by name.
            page = await readers.page(identity.actor, view, {}, order=Order(), limit=1000)
            expected = seen(here, identity, source)
            assert {str(row.id) for row in page.items} == expected, (identity.name, source)


async def test_an_operator_sees_what_the_house_sees(views: Views, here: World) -> None:
    view: Any = make_dataclass("Seen", [("id", UUID)], namespace={"source": "credentials"})
    page = await StoredReaders(views).page(OPERATOR, view, {}, order=Order(), limit=1000)
    assert len(page.items) == len(here.people)


async def test_no_client_reads_finds_or_sorts_by_a_private_column(views: Views, here: World) -> None:
    refusals = (PermissionError, asyncpg.InsufficientPrivilegeError)
    for source in VISIBILITY:
        hidden = PRIVATE.get(source, set()) & set(TABLES[source].names)
        assert private(source) == hidden
        for identity in here.clients:
            for column in hidden if seen(here, identity, source) else ():
                value = next(row[column] for row in here.rows.of(source))
                for columns, criteria, order in (
                    ((column,), {}, Order()),
                    (("id",), {column: value}, Order()),
                    (("id",), {}, Order(column)),
                ):
                    with pytest.raises(refusals):
                        await views.rows(identity.actor, source, columns, criteria, order=order, after=None, limit=10)
        rows = await views.rows(SYSTEM, source, tuple(hidden), {}, order=Order(), after=None, limit=1) if hidden else ()
        assert all(hidden <= row.keys() for row in rows)


def test_no_view_for_clients_holds_a_private_column() -> None:
    """It would be refused to them as a whole."""
    assert {name for name in VIEWS if private(name)} == {"accounts"}


async def test_a_review_shows_its_job_only_to_those_who_see_the_job(views: Views, here: World) -> None:
    for identity in here.clients:
        columns = ("job_id", "job_title")
        rows = await views.rows(identity.actor, "review_cards", columns, {}, order=Order(), after=None, limit=100)
        jobs = seen(here, identity, "jobs")
        assert {str(row["id"]) for row in rows} == seen(here, identity, "reviews")
        for row in rows:
            assert (row["job_title"] is not None) == (str(row["job_id"]) in jobs), identity.name


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.append_only])
@pytest.mark.parametrize("role", ["service_role", "postgres"])
async def test_what_is_kept_for_ever_is_rewritten_by_nobody(table: str, role: str, owner: Any, here: World) -> None:
    """Not by the house, and not by the owner of the tables."""
    filled = {"audit": "action"}.get(table, "id")
    other = "'forged'" if filled == "action" else "gen_random_uuid()"
    for statement in (f"update {table} set {filled} = {other}", f"delete from {table}"):
        async with asking(owner, Identity(role, role)):
            answer = await owner.fetchval("select probe.tried($1)", [statement])
        assert answer[0] in ("42501", "GH002")


async def test_what_policies_ask_tells_everybody_about_themselves_only(owner: Any, here: World) -> None:
    organizations = {
        name: {placed.id for placed in here.placed["organizations"] if name in placed.relations[word]}
        for name, word in ((name, "colleague") for name in here.people)
    }
    managed = {
        name: {placed.id for placed in here.placed["organizations"] if name in placed.relations["manager"]}
        for name in here.people
    }
    talks = {
        name: {placed.id for placed in here.placed["conversations"] if name in placed.relations["participant"]}
        for name in here.people
    }
    asked = """
        select my_organizations()::text[], my_managed_organizations()::text[], my_conversations()::text[], is_admin()
    """
    for identity in here.clients:
        async with asking(owner, identity):
            mine = await owner.fetchrow(asked)
        name = identity.welcome
        expected = [organizations.get(name, set()), managed.get(name, set()), talks.get(name, set())]
        assert [set(each) for each in tuple(mine)[:3]] == expected
        assert mine["is_admin"] is (name == "root")


async def test_the_matrix_holds_where_everything_is_granted_by_default(
    postgres_server: Server, migrations: Callable[[str], None], here: World
) -> None:
    """Supabase grants every new table to its clients; what is made here takes that back."""
    grant = "alter default privileges in schema public grant all on {} to anon, authenticated, service_role"
    with postgres_server.empty() as url, ThreadPoolExecutor(1) as thread:
        async with connected(url) as connection:
            for kind in ("tables", "sequences", "functions"):
                await connection.execute(grant.format(kind))
            thread.submit(migrations, url).result()
            thread.submit(lambda: asyncio.run(furnish(url, here))).result()
            assert await complaints(connection, here) == []
            assert await misfits(connection) == []


def test_a_change_to_a_table_is_looked_for_in_its_views_too() -> None:
    assert set(touched("jobs")) == {"jobs", "job_listings", "review_cards"}
