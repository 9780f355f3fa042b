"""A commit by function call: what takes part is the catalog's to say, what the database undid is done again inside, and
a statement without its locks or guards would be found out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adapters.persistence.schema import TABLES
from adapters.persistence.steps import Part, steps
from adapters.persistence.store import Changes, Insert, Update
from adapters.postgres import commits
from application.ports.criteria import AnyOf, Between, Order
from domain.shared.errors import Conflict, Unavailable
from tests.adapters.test_commits import FAILS, everything
from tests.contracts import races
from tests.contracts.rows import Rows
from tests.contracts.stores import Backend, connected, emptied, on_supabase
from tests.support.postgrest import CROWD, PostgREST, postgrest


@pytest.fixture
def counterpart(database: str) -> Iterator[PostgREST]:
    with postgrest(database, connections=CROWD) as rest:
        yield rest


@pytest.fixture
async def backend(counterpart: PostgREST, database: str) -> AsyncIterator[Backend]:
    async with on_supabase(counterpart, database) as made:
        yield made


@pytest.fixture
async def standing(standing_project: tuple[PostgREST, str]) -> AsyncIterator[Backend]:
    rest, url = standing_project
    await emptied(url)
    async with on_supabase(rest, url) as made:
        yield made


async def planted(url: str, function: str, old: str, new: str) -> None:
    """Exchange a piece of a function's text, and see that it was there."""
    async with connected(url) as owner:
        text = await owner.fetchval("select pg_get_functiondef($1::regproc)", function)
        assert old in text
        await owner.execute(text.replace(old, new))


# --- The statement ----------------------------------------------------------------------------------------------------


async def test_the_database_writes_the_statement_that_we_would(database: str) -> None:
    """Part by part the same verbs on the same tables in the same order, each waiting for the one before."""
    changes = everything(Rows(), 2)
    parts = [{"kind": kind, "table": table, "rows": []} | _named(table) for kind, table in _parts(changes)]
    async with connected(database) as owner:
        theirs = await owner.fetchval("select commit_statement($1::jsonb)", json.dumps(parts))
    ours = commits.statement(changes)[0]
    for place, (kind, table) in enumerate(_parts(changes)):
        verb = {
            "lock": "pg_advisory_xact_lock",
            "raise": "insert into tallies",
            "lower": "update tallies",
            "guard": f"from {table} t join",
            "delete": f"delete from {table}",
            "update": f"update {table}",
        }.get(kind, f"insert into {table}")
        for statement in (ours, theirs.replace("public.", "")):
            part = statement[statement.index(f"part{place} as ") :]
            assert part.index(verb) < 250
            assert ("for share of t" in part.partition(f"part{place + 1} as ")[0]) == (kind == "guard")
            if place:
                assert f"must((select count(*) from part{place - 1})" in part


def _parts(changes: Changes) -> list[Part]:
    return [step.part for step in steps(changes)]


def _named(table: str) -> dict[str, Any]:
    return {"columns": TABLES[table].names, "numbered": TABLES[table].numbered} if table else {}


async def test_tables_and_columns_are_those_of_the_catalog(backend: Backend) -> None:
    """A table that comes later takes part as soon as it has the house's policy; one that is not the house's never."""
    async with connected(backend.url) as owner:
        await owner.execute("""
            create table parcels (id uuid primary key, version bigint not null, "to" text, weight bigint);
            grant all on parcels to service_role;
            create table secrets (id uuid primary key, version bigint not null);
            grant all on secrets to service_role;
        """)

        async def commit(table: str, columns: list[str], row: list[Any]) -> Any:
            part = {"kind": "insert", "table": table, "columns": columns, "rows": [row]}
            return await owner.fetchval("select commit_changes($1::jsonb)", json.dumps([part]))

        id = str(Rows("parcels").id())
        whole = ["id", "version", "to", "weight"]
        with pytest.raises(Exception, match="there is no table parcels"):
            await commit("parcels", whole, [id, 1, "Ann", 2])
        await owner.execute("create policy parcels_house on parcels to service_role using (true) with check (true)")
        await commit("parcels", whole, [id, 1, "Ann", 2**53 + 1])
        assert [tuple(row.values())[1:] for row in await owner.fetch("select * from parcels")] == [
            (1, "Ann", 2**53 + 1)
        ]
        for columns in (whole[:3], [*whole, "colour"], [*whole[:3], "to"], [*whole[:3], "weight; drop table x"]):
            with pytest.raises(Exception, match="the columns of parcels are others"):
                await commit("parcels", columns, [id, 1, "Ann", 2, 3][: len(columns)])
        for table in ("secrets", "alembic_version", "pg_authid", "parcels; drop table parcels", "no_such"):
            with pytest.raises(Exception, match="there is no table"):
                await commit(table, ["id", "version"], [id, 1])


async def test_another_schema_than_ours_is_no_fault(backend: Backend) -> None:
    async with connected(backend.url) as owner:
        await owner.execute("alter table outbox add column colour text")
    with pytest.raises(Unavailable):
        await backend.insert("outbox", Rows().row("outbox"))


# --- Again ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_the_database_undid_itself_is_done_again_inside(backend: Backend, code: str) -> None:
    row = Rows().row("outbox")
    async with connected(backend.url) as owner:
        await owner.execute(FAILS.format(times=2, code=code))
        await backend.insert("outbox", row)
        assert await owner.fetchval("select last_value from calls") == 3
    assert await backend.rows("outbox") == [row]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [("40001", Conflict), ("40P01", Conflict), ("53100", Unavailable), ("57014", Unavailable), ("XX000", Unavailable)],
)
async def test_faults_of_the_database_have_a_name(backend: Backend, code: str, refusal: type[Exception]) -> None:
    async with connected(backend.url) as owner:
        await owner.execute(FAILS.format(times=1000, code=code))
    with pytest.raises(refusal) as said:
        await backend.insert("outbox", Rows().row("outbox"))
    assert type(said.value) is refusal
    assert await backend.rows("outbox") == []


async def test_a_database_that_ends_in_the_middle_leaves_the_outcome_unknown(backend: Backend) -> None:
    rows = Rows()
    async with connected(backend.url) as owner:
        change = owner.transaction()
        await change.start()
        await owner.execute("lock table outbox in share row exclusive mode")
        committing = asyncio.ensure_future(backend.insert("outbox", rows.row("outbox")))
        await races.until_waiting(backend.url, 1, committing)
        await owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'")
        _, refused = await races.gathered(committing)
        await change.rollback()
    assert [refusal.code for refusal in refused] == ["outcome_unknown"]
    await backend.insert("outbox", rows.row("outbox"))


# --- Pages and addresses ----------------------------------------------------------------------------------------------


async def test_more_rows_than_a_project_answers_at_once_all_come(backend: Backend) -> None:
    rows = Rows("many")
    events = [rows.row("outbox", name=f"n{n % 7}") for n in range(2_050)]
    for some in (events[:1000], events[1000:]):
        await backend.insert("outbox", *some)
    stored = sorted(events, key=lambda row: row["id"])
    assert await backend.rows("outbox") == stored
    assert list(await backend.store.load("outbox", {}, limit=1_500)) == stored[:1_500]
    wanted = tuple(row["id"] for row in events[::2])
    assert await backend.rows("outbox", id=AnyOf(wanted)) == [row for row in stored if row["id"] in set(wanted)]
    newest = await backend.store.load("outbox", {"id": AnyOf(wanted)}, order=Order("id", descending=True), limit=3)
    assert list(newest) == [row for row in reversed(stored) if row["id"] in set(wanted)][:3]


HOSTILE = (
    "a,b",
    'say "no"',
    "(x)",
    "{y}",
    "back\\slash",
    "per%cent",
    "plus+and&",
    "eq.null",
    "null",
    "*",
    " ",
    "",
    "é,“ü”",
    "; drop table users; --",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_values_are_never_taken_for_something_else(standing: Backend, text: str) -> None:
    rows = Rows("hostile")
    mine, other = rows.row("outbox", name=text), rows.row("outbox", name="zz other")
    await standing.insert("outbox", mine, other)
    assert await standing.rows("outbox", name=text) == [mine]
    assert await standing.rows("outbox", name=AnyOf((text, "nobody", text))) == [mine]
    assert await standing.rows("outbox", name=Between(text, text + "\x01")) == [mine]
    order = Order("name")
    page = await standing.store.load("outbox", {}, order=order, limit=1)
    place = (page[0]["name"], page[0]["id"])
    rest = await standing.store.load("outbox", {}, order=order, after=place, limit=5)
    assert sorted([page[0]["name"], *(row["name"] for row in rest)]) == sorted([text, "zz other"])


# --- What a statement without them would do ---------------------------------------------------------------------------


@pytest.mark.parametrize("lock", [False, True])
async def test_guards_that_read_plainly_are_found(backend: Backend, lock: bool) -> None:
    await planted(backend.url, "commit_part", "for share of t", "")
    with pytest.raises(AssertionError, match="a booking was made of an archived job"):
        await races.a_guard_sees_what_was_decided_before_it(backend.store, backend.url, lock=lock)


async def test_bookings_without_a_lock_are_found(backend: Backend) -> None:
    await planted(backend.url, "commit_part", "pg_advisory_xact_lock(hashtextextended(w.key, 0))", "w.key")
    with pytest.raises(AssertionError, match=r"deadlocks|refused with"):
        await races.one_slot_has_one_winner(backend.url, lambda _: backend.store)


async def test_claims_without_order_are_found(backend: Backend) -> None:
    await planted(backend.url, "claim_events", "(scheduled or not exists (", "(true or not exists (")
    with pytest.raises(AssertionError, match="two events of one aggregate"):
        await races.events_keep_their_order(backend.store)


async def test_a_part_that_waits_for_none_is_found(backend: Backend) -> None:
    """Without the count of the part before, a stale commit would write what comes after."""
    await planted(backend.url, "commit_statement", "select public.must(%s, %s)", "select true or public.must(%s, %s)")
    rows = Rows()
    stored = rows.row("outbox")
    await backend.insert("outbox", stored)
    await backend.commit(Update("outbox", {**stored, "version": 9}, 8), Insert("outbox", rows.row("outbox")))
    assert len(await backend.rows("outbox")) == 2, "the planted bug does nothing"
