"""Connections keep their role for life and nothing else, and come back when the database does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.persistence.store import Changes, Insert, Tally
from adapters.postgres.access import admit_app
from adapters.postgres.bell import PostgresBell
from adapters.postgres.migrations import migrate
from adapters.postgres.pools import Pool, Pools
from adapters.postgres.server import EmbeddedServer
from adapters.postgres.store import PostgresStore
from adapters.postgres.views import PostgresViews
from application.commands import OutcomeUnknown
from application.ports.criteria import Order
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.errors import Invalid, Refusal, Unavailable
from domain.shared.ids import UserId
from tests.contracts.rows import Rows
from tests.contracts.stores import NOW, connected, until
from tests.planted.stores import claims_outlive_their_transaction

ADA, BOB = (Actor(user_id=UserId(UUID(int=n))) for n in (1, 2))
STATE = """
select json_build_object(
  'role', current_user,
  'claims', coalesce(nullif(current_setting('request.jwt.claims', true), ''), 'none'),
  'transaction', (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'),
  'channels', (select count(*) from pg_listening_channels()),
  'cursors', (select count(*) from pg_cursors where name <> ''),
  'temporary', (select count(*) from pg_class where relpersistence = 't'),
  'settings', (select coalesce(json_object_agg(name, setting), '{}') from pg_settings where source = 'session'
    and setting is distinct from reset_val and name not like 'request.%')
)::text
"""


@pytest.fixture
async def pools(database: str) -> AsyncIterator[Pools]:
    """Pools of one connection each, so that everybody gets the one that was used before; Ada and Bob are users."""
    made = Pools.of(database, house=1, public=1, users=1)
    await arrive(made)
    yield made
    await made.close()


async def arrive(pools: Pools) -> None:
    """Ada and Bob have accounts."""
    rows = Rows()
    users = tuple(Insert("users", rows.row("users", id=actor.user_id)) for actor in (ADA, BOB))
    await PostgresStore(pools.house).commit(Changes(writes=users))


async def state_of(pool: Pool) -> str:
    """All that a session remembers, as the next user of the connection finds it."""
    async with pool.connection() as connection:
        assert not connection.is_in_transaction()
        return str(await connection.fetchval(STATE))


async def serving(pool: Pool) -> int:
    """Which process of the database answers."""
    async with pool.connection() as connection:
        return int(await connection.fetchval("select pg_backend_pid()"))


async def who(pools: Pools, actor: Actor) -> Any:
    """Who the database thinks is asking: of the users, everybody is shown themselves."""
    rows = await PostgresViews(pools).rows(actor, "users", ["id"], {}, order=Order(), after=None, limit=5)
    return rows[0]["id"] if len(rows) == 1 else rows


async def nobody_inherits_claims(pools: Pools) -> None:
    """Whatever way a user's turn ends, the next on that connection is nobody until they say who they are."""
    async with pools.users.connection() as connection:
        asked = await connection.fetchval("select current_user_id()")
    assert asked is None
    assert await who(pools, ADA) == ADA.user_id
    async with pools.users.connection() as connection:
        asked = await connection.fetchval("select current_user_id()")
    assert asked is None, "the next asker is taken for the one before"


async def test_each_pool_has_its_role_for_life(pools: Pools) -> None:
    for pool, role in ((pools.house, "service_role"), (pools.public, "anon"), (pools.users, "authenticated")):
        for _ in range(2):
            async with pool.connection() as connection:
                assert await connection.fetchval("select current_user") == role
                assert await connection.fetchval("show timezone") == "UTC"


async def test_claims_end_with_their_transaction(pools: Pools) -> None:
    await nobody_inherits_claims(pools)
    assert await who(pools, BOB) == BOB.user_id


async def test_claims_that_outlive_their_transaction_are_found(pools: Pools) -> None:
    planted = claims_outlive_their_transaction(pools.users)
    with pytest.raises(AssertionError, match="taken for the one before"):
        await nobody_inherits_claims(Pools(pools.house, pools.public, planted))
    assert planted.rewritten


async def test_claims_end_when_a_question_fails(pools: Pools) -> None:
    for limit in (-1, 2**70):
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, it must not stay
            await PostgresViews(pools).rows(ADA, "users", ["id"], {}, order=Order(), after=None, limit=limit)
        async with pools.users.connection() as connection:
            assert await connection.fetchval("select current_user_id()") is None
            assert not connection.is_in_transaction()


async def test_claims_end_when_the_asker_goes_away(pools: Pools, database: str) -> None:
    """A request may be called off at any instant: while it connects, claims, reads, or lets go."""
    for steps in range(0, 40, 2):
        asking = asyncio.ensure_future(who(pools, ADA))
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        async with pools.users.connection() as connection:
            assert await connection.fetchval("select current_user_id()") is None
            assert not connection.is_in_transaction()

    async with connected(database) as watcher, watcher.transaction():
        await watcher.execute("lock table users")
        asking = asyncio.ensure_future(who(pools, ADA))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%from users%'"
        await until(lambda: watcher.fetchval(waits))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert await who(pools, BOB) == BOB.user_id
    async with pools.users.connection() as connection:
        assert await connection.fetchval("select current_user_id()") is None


async def test_nothing_else_of_a_session_outlives_its_use(pools: Pools) -> None:
    everybody = (pools.house, pools.public, pools.users)
    before = [await state_of(pool) for pool in everybody]
    store, views, rows = PostgresStore(pools.house), PostgresViews(pools), Rows()
    inserts = rows.inserts("bookings")
    await store.commit(
        Changes(locks=("provider:1", "provider:2"), tallies=(Tally("seats:1", 1, 1),), writes=tuple(inserts))
    )
    for bad in (
        Changes(locks=("provider:1",), tallies=(Tally("seats:1", 1, 1),)),
        Changes(locks=("provider:1",), writes=(Insert("bookings", {**inserts[-1].row, "id": rows.id()}),)),
        Changes(locks=("provider:1",), writes=(Insert("outbox", rows.row("outbox", name="\0")),)),
    ):
        with pytest.raises(Refusal):
            await store.commit(bad)
    with pytest.raises(Invalid):
        await store.load("users", {"email": "\0"})
    for actor in (ANONYMOUS, ADA, SYSTEM):
        await views.rows(actor, "organizations", ["id"], {}, order=Order(), after=None, limit=5)
    called_off = asyncio.ensure_future(
        store.commit(Changes(locks=("provider:9",), writes=tuple(rows.inserts("users"))))
    )
    await asyncio.sleep(0)
    called_off.cancel()
    await asyncio.gather(called_off, return_exceptions=True)
    assert [await state_of(pool) for pool in everybody] == before


async def test_who_reads_cannot_write_whatever_they_are_granted(pools: Pools) -> None:
    for pool in (pools.public, pools.users):
        with pytest.raises(Exception, match="read-only transaction"):
            async with pool.connection() as connection:
                await connection.execute("create temporary table t (id int)")


async def test_a_connection_that_may_still_be_at_something_is_not_lent_again(pools: Pools) -> None:
    async with pools.house.connection() as first:
        pass
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with pools.house.connection() as again:
            await again.fetchval("select 1/0")
    assert again is first
    with pytest.raises(asyncio.CancelledError):
        async with pools.house.connection() as called_off:
            raise asyncio.CancelledError
    assert called_off is first
    async with pools.house.connection() as next_one:
        assert next_one is not first
        assert first.is_closed()


async def test_a_commit_that_is_refused_keeps_its_connection(pools: Pools) -> None:
    """A no is an answer: the losers of a race must not each pay for a new connection."""
    store, organization = PostgresStore(pools.house), Rows().row("organizations")
    again = Changes(writes=(Insert("organizations", organization),))
    await store.commit(again)
    before = await serving(pools.house)
    for refused in (again, Changes(tallies=(Tally("seats:1", 2, 1),))):
        with pytest.raises(Refusal):
            await store.commit(refused)
    assert await serving(pools.house) == before


async def test_one_who_waits_for_a_connection_is_told_when_there_is_none(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.pools.PATIENCE", 0.01)
    async with pools.house.connection():
        with pytest.raises(Unavailable):
            await serving(pools.house)
    assert await serving(pools.house)


async def test_whoever_commits_goes_before_those_who_ask(pools: Pools) -> None:
    store, order = PostgresStore(pools.house), list[str]()

    async def noted(name: str, work: Awaitable[object]) -> None:
        await work
        order.append(name)

    async with pools.house.connection():
        asked = [asyncio.ensure_future(noted("asked", store.load("tallies", {}))) for _ in range(3)]
        await asyncio.sleep(0)
        commit = asyncio.ensure_future(noted("committed", store.commit(Changes(tallies=(Tally("seats:1", 1),)))))
        await asyncio.sleep(0)
    await asyncio.gather(*asked, commit)
    assert order == ["committed", "asked", "asked", "asked"]


async def test_one_who_stops_waiting_for_a_connection_takes_none_away(pools: Pools) -> None:
    for instants in range(6):
        async with pools.house.connection():
            waiting = asyncio.ensure_future(PostgresStore(pools.house).load("tallies", {}))
            await asyncio.sleep(0)
        for _ in range(instants):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await PostgresStore(pools.house).load("tallies", {}) == []


async def test_a_connection_that_idled_for_long_is_made_anew(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pools.house.connection() as first:
        pass
    monkeypatch.setattr("adapters.postgres.pools.IDLE", 0.0)
    async with pools.house.connection() as second:
        assert second is not first


async def test_a_pool_whose_connections_are_all_taken_makes_others_wait_for_them(pools: Pools) -> None:
    async with pools.house.connection():
        waiting = asyncio.ensure_future(PostgresStore(pools.house).load("tallies", {}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == []


async def test_a_database_that_cannot_be_reached_is_unavailable() -> None:
    pools = Pools.of("postgresql://nobody:x@127.0.0.1:1/nothing", house=1, public=1, users=1)
    try:
        with pytest.raises(Unavailable):
            await PostgresStore(pools.house).load("tallies", {})
        with pytest.raises(Unavailable) as said:
            await PostgresStore(pools.house).commit(Changes(tallies=(Tally("seats:1", 1),)))
        assert not isinstance(said.value, OutcomeUnknown)
        with pytest.raises(Unavailable):
            await PostgresStore(pools.house).claim(now=NOW, lease=timedelta(minutes=1), limit=1)
    finally:
        await pools.close()


async def test_a_database_that_dies_is_unavailable_and_comes_back_without_a_restart(fresh_folder: Path) -> None:
    server = EmbeddedServer(fresh_folder / "postgres")
    async with server.use_async() as url:
        await asyncio.to_thread(migrate, url)
        pools = Pools.of(url, house=2, public=1, users=1)
        store, views, rows = PostgresStore(pools.house), PostgresViews(pools), Rows()
        organization = rows.row("organizations")
        try:
            await arrive(pools)
            await store.commit(Changes(writes=(Insert("organizations", organization),)))
            assert await who(pools, ADA) == ADA.user_id
            async with pools.house.connection() as connection:
                in_flight = asyncio.ensure_future(connection.execute("select pg_sleep(60)"))
                postmaster = server.postmaster()
                assert postmaster
                os.kill(postmaster, signal.SIGQUIT)
                with pytest.raises(Exception):  # noqa: B017 - the driver has many words for it
                    await in_flight
            await until(lambda: asyncio.to_thread(lambda: server.postmaster() is None))
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await store.load("organizations", {})
                with pytest.raises(Unavailable):
                    await store.commit(Changes(tallies=(Tally("seats:1", 1),)))
                for actor in (ANONYMOUS, ADA, SYSTEM):
                    with pytest.raises(Unavailable):
                        await views.rows(actor, "organizations", ["id"], {}, order=Order(), after=None, limit=1)
            await asyncio.to_thread(server.revive)
            assert await store.load("organizations", {}) == [organization]
            assert await store.commit(Changes(tallies=(Tally("seats:1", 1),))) == {"seats:1": 1}
            assert await who(pools, ADA) == ADA.user_id
            assert (
                len(await views.rows(ANONYMOUS, "organizations", ["id"], {}, order=Order(), after=None, limit=1)) == 1
            )
        finally:
            await pools.close()


async def test_the_applications_own_login_can_do_all_of_it(database: str) -> None:
    """It is nobody by itself; each pool takes its role when it connects."""
    url = await admit_app(database, "a password of its own: '\"/@%")
    pools = Pools.of(url, house=1, public=1, users=1)
    try:
        organization = Rows().row("organizations")
        await PostgresStore(pools.house).commit(Changes(writes=(Insert("organizations", organization),)))
        for actor in (ANONYMOUS, ADA, SYSTEM):
            rows = await PostgresViews(pools).rows(
                actor, "organizations", ["id"], {}, order=Order(), after=None, limit=5
            )
            assert [row["id"] for row in rows] == [organization["id"]]
        async with pools.house.connection() as connection:
            assert await connection.fetchval("select session_user") == "guildhall_app"
    finally:
        await pools.close()
    async with connected(url) as nobody:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await nobody.fetch("select id from organizations")


@pytest.fixture
async def bells(database: str) -> AsyncIterator[tuple[PostgresBell, PostgresBell]]:
    """The bells of two processes on one database, both listening."""
    both = PostgresBell(database), PostgresBell(database)
    running = [asyncio.ensure_future(bell.run()) for bell in both]
    async with connected(database) as watcher:
        lines = "select count(*) = 2 from pg_stat_activity where application_name = 'guildhall bell'"
        listening = f"{lines} and datname = current_database() and query ilike 'listen %' and state = 'idle'"
        await until(lambda: watcher.fetchval(listening))
    yield both
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_bell_is_heard_in_every_process(bells: tuple[PostgresBell, PostgresBell]) -> None:
    here, there = bells
    resting = [asyncio.ensure_future(bell.rest(60)) for bell in bells]
    here.poke()
    await asyncio.wait_for(asyncio.gather(*resting), 5)
    assert all(rest.done() for rest in resting)
    there.poke()
    await asyncio.wait_for(here.rest(60), 5)


async def test_a_bell_that_nobody_rings_lets_the_worker_look_for_itself(
    bells: tuple[PostgresBell, PostgresBell],
) -> None:
    await asyncio.wait_for(bells[0].rest(0.01), 5)


async def test_a_bell_whose_line_breaks_is_put_up_again(
    bells: tuple[PostgresBell, PostgresBell], database: str
) -> None:
    here, there = bells
    async with connected(database) as owner:
        cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'guildhall bell'"
        assert await owner.fetchval(f"{cut} and datname = current_database()") == 2
        hearing = asyncio.ensure_future(there.rest(60))

        async def heard() -> bool:
            here.poke()
            return hearing.done()

        await until(heard)
