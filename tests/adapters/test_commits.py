"""A commit on PostgreSQL is one statement: few shapes of it, parts in one order, and faults in our words."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.persistence.schema import TABLES
from adapters.persistence.store import Changes, Delete, Guard, Insert, Tally, Update, Write
from adapters.postgres import commits
from adapters.postgres.pools import Pool
from adapters.postgres.store import TRIES, PostgresStore
from domain.shared.errors import Conflict, Unavailable
from tests.contracts import races
from tests.contracts.rows import PLAIN, Rows
from tests.contracts.stores import connected, until


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A single connection of the house."""
    made = Pool(database, role="service_role", size=1)
    yield made
    await made.close()


@pytest.fixture
async def store(pool: Pool) -> PostgresStore:
    return PostgresStore(pool)


def everything(rows: Rows, many: int) -> Changes:
    """A change set with every kind of part, `many` of each."""
    writes: list[Write] = []
    for table in ("users", "bookings", "messages", "receipts"):
        for _ in range(many):
            numbers = {"sequence": f"messages:{rows.id()}"} if table in ("messages", "receipts") else {}
            writes.append(Insert(table, rows.row(table), numbers))
            writes.append(Update(table, rows.row(table), 1))
            writes.append(Delete(table, rows.id(), 1))
    return Changes(
        locks=tuple(f"provider:{rows.id()}" for _ in range(many)),
        tallies=tuple(Tally(f"seats:{rows.id()}", by, by) for n in range(many) for by in (n + 1, -1)),
        guards=tuple(Guard(table, rows.id(), 7) for table in ("jobs", "users") for _ in range(many)),
        writes=tuple(writes),
    )


def test_a_statement_does_not_depend_on_how_many_rows_nor_on_what_is_in_them() -> None:
    rows = Rows()
    texts = {commits.statement(everything(rows, many))[0] for many in (1, 2, 17)}
    assert len(texts) == 1


@pytest.mark.parametrize("table", sorted(PLAIN.keys() - {"tallies"}))
def test_every_value_is_a_parameter(table: str) -> None:
    """What is in a row cannot become SQL: its text is the same for the worst of rows."""
    rows = Rows()
    worst = dict.fromkeys(TABLES[table].names, "'; drop table users; --")
    texts = {commits.statement(Changes(writes=(Insert(table, row),)))[0] for row in (rows.row(table), worst)}
    assert len(texts) == 1


def test_parts_come_in_one_order_however_they_were_given() -> None:
    rows = Rows()
    changes = everything(rows, 2)
    turned = Changes(
        locks=changes.locks[::-1],
        tallies=changes.tallies[::-1],
        guards=changes.guards[::-1],
        writes=changes.writes[::-1],
    )
    sql = commits.statement(changes)[0]
    assert commits.statement(turned)[0] == sql
    expected = [
        "pg_advisory_xact_lock",
        "insert into tallies",
        "update tallies",
        "from users t join",
        "from jobs t join",
    ]
    for table in ("users", "bookings", "messages"):
        expected += [f"delete from {table}", f"update {table}", f"insert into {table}"]
    places = [sql.index(part) for part in expected]
    assert places == sorted(places)


def test_each_part_waits_for_the_one_before_it() -> None:
    sql = commits.statement(everything(Rows(), 1))[0]
    last = sql.count(" as (") + sql.count(" as materialized (")
    for part in range(last - 1):
        assert f"must((select count(*) from part{part}) = " in sql[sql.index(f"part{part + 1} as ") :]


async def test_a_connection_knows_few_statements_however_much_it_does(pool: Pool, store: PostgresStore) -> None:
    rows = Rows()
    await store.commit(Changes(writes=tuple(rows.inserts("users"))))

    async def known() -> int:
        async with pool.connection() as connection:
            return int(await connection.fetchval("select count(*) from pg_prepared_statements"))

    counts = []
    for many in (1, 3, 40):
        users = [rows.row("users") for _ in range(many)]
        await store.commit(Changes(writes=tuple(Insert("users", user) for user in users)))
        for user in users[:5]:
            await store.load("users", {"id": user["id"]})
            await store.load("users", {"email": user["email"]}, limit=1)
        await store.commit(Changes(writes=tuple(Update("users", {**user, "version": 2}, 1) for user in users)))
        await store.commit(Changes(writes=tuple(Delete("users", user["id"], 2) for user in users)))
        counts.append(await known())
    assert counts == [counts[0]] * 3


FAILS = """
create sequence calls;
grant usage on sequence calls to public;
create function fail() returns trigger language plpgsql as $$
begin
  if nextval('public.calls') <= {times} then raise exception 'planted' using errcode = '{code}'; end if;
  return new;
end $$;
create trigger fail before insert on outbox for each row execute function fail()
"""


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_the_database_undid_itself_is_asked_again(database: str, store: PostgresStore, code: str) -> None:
    row = Rows().row("outbox")
    async with connected(database) as owner:
        await owner.execute(FAILS.format(times=TRIES - 1, code=code))
    await store.commit(Changes(writes=(Insert("outbox", row),)))
    assert await store.load("outbox", {}) == [row]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("40001", Conflict),
        ("40P01", Conflict),
        ("53100", Unavailable),
        ("53200", Unavailable),
        ("57014", Unavailable),
        ("XX000", asyncpg.InternalServerError),
    ],
)
async def test_faults_of_the_database_have_a_name(
    database: str, store: PostgresStore, code: str, refusal: type[Exception]
) -> None:
    async with connected(database) as owner:
        await owner.execute(FAILS.format(times=1000, code=code))
    with pytest.raises(refusal) as said:
        await store.commit(Changes(writes=(Insert("outbox", Rows().row("outbox")),)))
    assert type(said.value) is refusal
    assert await store.load("outbox", {}) == []


async def test_a_real_deadlock_is_undone_and_asked_again(database: str) -> None:
    """Somebody else, in the middle of a change, wants what the commit has, while the commit wants what they have."""
    rows = Rows()
    one, two = sorted((rows.row("organizations") for _ in range(2)), key=lambda row: row["id"])
    pool = Pool(database, role="service_role", size=1)
    async with connected(database) as other, connected(database) as watcher:
        name = await watcher.fetchval("select current_database()")
        # Whoever waits looks for a deadlock once, after this time: by then the other has to wait, too.
        await watcher.execute(f"alter database {name} set deadlock_timeout = '1s'")
        try:
            store = PostgresStore(pool)
            await store.commit(Changes(writes=(Insert("organizations", one), Insert("organizations", two))))
            change = other.transaction()
            await change.start()
            await other.execute("set local deadlock_timeout = '60s'")
            await other.execute("update organizations set name = 'theirs' where id = $1", two["id"])
            guards = (Guard("organizations", one["id"], 1), Guard("organizations", two["id"], 1))
            writes = (Insert("outbox", rows.row("outbox")),)
            commit = asyncio.ensure_future(store.commit(Changes(guards=guards, writes=writes)))
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = $1"
            await until(lambda: watcher.fetchval(waiting, name))
            await other.execute("update organizations set name = 'theirs' where id = $1", one["id"])
            await change.commit()
            done, refused = await races.gathered(commit)
        finally:
            await pool.close()
    assert (done, refused) == ([{}], [])
