"""Races that every store must win, as checks: the tests run them on the stores, and on planted bugs they must fail."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Guard, Insert, Store, Tally, Update
from adapters.postgres.pools import Pool
from adapters.postgres.store import PostgresStore
from domain.bookings import SlotTaken
from domain.shared.errors import Refusal, StaleVersion
from domain.shared.time import Span
from tests.contracts.rows import Rows
from tests.contracts.stores import NOW, connected, until
from tests.support.postgrest import LOGIN

LEASE = timedelta(minutes=1)
HOURS = 6
"""Of the course everybody wants."""
SLOW = """
create function be_slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.001); return new; end';
create trigger be_slow before insert on bookings for each row execute function be_slow()
"""
"""As on a busy machine, where one commit is not over before the next begins."""


async def gathered(*doing: Awaitable[Any]) -> tuple[list[Any], list[Refusal]]:
    """What came of things done at the same time: answers and refusals. Faults are raised."""
    ended = await asyncio.gather(*doing, return_exceptions=True)
    faults = [one for one in ended if isinstance(one, BaseException) and not isinstance(one, Refusal)]
    if faults:
        raise faults[0]
    return [one for one in ended if not isinstance(one, Refusal)], [one for one in ended if isinstance(one, Refusal)]


async def a_guard_sees_what_was_decided_before_it(store: Store, url: str, *, lock: bool) -> None:
    """A job is archived while a booking of it waits: on the job's row, or on a lock that both have named."""
    rows = Rows("guards")
    booking = rows.row("bookings")
    job = next(insert.row for insert in rows.parents if insert.table == "jobs")
    await store.commit(Changes(writes=tuple(rows.parents)))
    resource = f"provider:{booking['provider_id']}"
    commit = Changes(
        locks=(resource,),
        guards=(Guard("jobs", job["id"], 1),),
        writes=(Insert("bookings", booking),),
    )
    async with connected(url) as other:
        change = other.transaction()
        await change.start()
        if lock:
            await other.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", resource)
        else:
            await other.execute("update jobs set state = 'archived', version = 2 where id = $1", job["id"])
        booking_it = asyncio.ensure_future(store.commit(commit))
        await until_waiting(url, 1, booking_it)
        if lock:
            await other.execute("update jobs set state = 'archived', version = 2 where id = $1", job["id"])
        await change.commit()
    _, refused = await gathered(booking_it)
    assert [type(refusal) for refusal in refused] == [StaleVersion], "a booking was made of an archived job"
    assert await store.load("bookings", {"id": booking["id"]}) == []


async def writers_number_without_gaps(store: Store, writers: int = 100) -> None:
    """Many messages of one conversation at once: each gets a number, and none is left out."""
    rows = Rows("numbers")
    first = rows.row("messages")
    await store.commit(Changes(writes=tuple(rows.parents)))
    series, place = f"messages:{first['conversation_id']}", {"conversation_id": first["conversation_id"]}

    async def write() -> int:
        message = {**first, "id": rows.id(), "sequence": 0}
        insert = Insert("messages", message, {"sequence": series})
        numbers = await store.commit(Changes(tallies=(Tally(series, 1),), writes=(insert,)))
        stored = (await store.load("messages", {"id": message["id"]}))[0]
        assert numbers.get(series, stored["sequence"]) == stored["sequence"]
        return int(stored["sequence"])

    numbers, refused = await gathered(*(write() for _ in range(writers)))
    assert not refused, f"{len(refused)} of {writers} were refused"
    assert sorted(numbers) == list(range(1, writers + 1))
    assert len(await store.load("messages", place)) == writers


async def one_slot_has_one_winner(url: str, make: Callable[[Pool], Store] = PostgresStore, racers: int = 16) -> None:
    """Many customers at once want the same course of a provider, some from its first hour on and some from its last:
    one gets it, the others are refused cleanly, nobody deadlocks. All are let go in the same instant."""
    rows = Rows("slot")
    first = rows.row("bookings")
    pool = Pool(url, role="service_role", size=racers)
    async with connected(url) as owner:
        database = await owner.fetchval("select current_database()")
        await owner.execute(f"alter database {database} set deadlock_timeout = '10ms'")
        await owner.execute(SLOW)
        try:
            await make(pool).commit(Changes(writes=tuple(rows.parents)))
            locks = (f"provider:{first['provider_id']}",)
            # Once apart, so that every connection knows the statement; then all for the same.
            for apart in (timedelta(days=1), timedelta()):
                async with connected(url) as starter, starter.transaction():
                    await starter.execute("lock table bookings in share row exclusive mode")
                    race = [
                        asyncio.ensure_future(
                            make(pool).commit(Changes(locks=locks, writes=_course(first, rows, n, apart)))
                        )
                        for n in range(1, racers + 1)
                    ]
                    await until_waiting(url, len(race), *race)
                won, refused = await gathered(*race)
        finally:
            await pool.close()
        deadlocks = await _deadlocks(owner, database)
    assert len(won) == 1, f"{len(won)} won"
    kinds = {type(refusal).__name__ for refusal in refused}
    assert kinds == {SlotTaken.__name__}, f"refused with {kinds}"
    assert deadlocks == 0, f"{deadlocks} deadlocks"


async def events_keep_their_order(store: Store) -> None:
    """Later events of an aggregate wait until its earlier ones are finished; other aggregates do not."""
    rows = Rows("order")
    one, other = rows.id(), rows.id()
    written = [(one, 1, 0), (one, 1, 1), (one, 2, 0), (other, 1, 0)]
    # The ids run backwards: neither they nor the instant, which is the same, may decide.
    ids = sorted((rows.id() for _ in written), reverse=True)
    events = [
        rows.row("outbox", id=id, subject_id=subject, subject_version=version, position=position)
        for id, (subject, version, position) in zip(ids, written, strict=True)
    ]
    await store.commit(Changes(writes=tuple(Insert("outbox", event) for event in events)))
    seen: list[tuple[Any, int, int]] = []
    while claimed := await store.claim(now=NOW, lease=LEASE, limit=10):
        subjects = [row["subject_id"] for row in claimed]
        assert len(subjects) == len(set(subjects)), "two events of one aggregate were handed out at once"
        for row in claimed:
            seen.append((row["subject_id"], row["subject_version"], row["position"]))
            await finish(store, row)
    assert [place for place in seen if place[0] == one] == written[:3]
    assert len(seen) == len(written)


async def what_commits_late_is_delivered(store: Store, url: str) -> None:
    """An event whose commit began first and ended last, after a later one had been delivered."""
    rows = Rows("late")
    early, late = sorted((rows.row("outbox"), rows.row("outbox")), key=lambda row: row["id"])
    names = ", ".join(early)
    values = ", ".join(f"${n}" for n in range(1, len(early) + 1))
    async with connected(url) as slow:
        await slow.set_type_codec("jsonb", schema="pg_catalog", encoder=lambda _: "{}", decoder=str)
        change = slow.transaction()
        await change.start()
        await slow.execute(f"insert into outbox ({names}) values ({values})", *early.values())
        await store.commit(Changes(writes=(Insert("outbox", late),)))
        first = await store.claim(now=NOW, lease=LEASE, limit=10)
        assert [row["id"] for row in first] == [late["id"]]
        await finish(store, first[0])
        await change.commit()
    second = await store.claim(now=NOW, lease=LEASE, limit=10)
    assert [row["id"] for row in second] == [early["id"]], "an event was lost"


async def claimers_pass_each_other_by(store: Store, url: str) -> None:
    """What another worker is leasing in this moment is left to it, and not waited for."""
    rows = Rows("claimers")
    mine, theirs = rows.row("outbox"), rows.row("outbox")
    await store.commit(Changes(writes=(Insert("outbox", mine), Insert("outbox", theirs))))
    async with connected(url) as other, other.transaction():
        await other.execute("update outbox set leased_until = $2 where id = $1", theirs["id"], NOW + LEASE)
        claiming = asyncio.ensure_future(store.claim(now=NOW, lease=LEASE, limit=10))
        await until_waiting(url, 1, claiming)
        passed_by = claiming.done()
        if not passed_by:
            claiming.cancel()
    assert passed_by, "a claimer waits for another"
    assert [row["id"] for row in await claiming] == [mine["id"]]


async def finish(store: Store, row: Row) -> None:
    """Settle a claimed event."""
    done = {**row, "finished_at": NOW, "leased_until": None, "version": row["version"] + 1}
    await store.commit(Changes(writes=(Update("outbox", done, row["version"]),)))


def _course(first: Row, rows: Rows, racer: int, apart: timedelta) -> tuple[Insert, ...]:
    """The bookings of one racer, `apart` from those of the others; every other begins from behind."""
    hours = [Span(NOW + timedelta(hours=n), NOW + timedelta(hours=n + 1)) for n in range(HOURS)]
    bookings: list[Insert] = []
    for hour in hours if racer % 2 else reversed(hours):
        span, id = Span(hour.starts_at + apart * racer, hour.ends_at + apart * racer), rows.id()
        row = {**first, "id": id, "occupancy": id, "reference": str(id), "payment_id": rows.id()}
        bookings.append(Insert("bookings", row | {"span": span, "blocked": span, "starts_at": span.starts_at}))
    return tuple(bookings)


async def until_waiting(url: str, many: int, *doing: "asyncio.Future[Any]") -> None:
    """Until so many statements wait for locks in that database, or some of what should have waited is done."""
    async with connected(url) as watcher:

        async def waits() -> bool:
            query = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            return any(one.done() for one in doing) or await watcher.fetchval(query) >= many

        await until(waits)


async def _deadlocks(owner: Any, database: str) -> int:
    """The deadlocks of that database, counted once everybody else has left it: who leaves has reported."""

    # PostgREST keeps its connections, and opens them again: those it has now are ended.
    ending = "select pid, pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = $2"
    ended = [row["pid"] for row in await owner.fetch(ending, database, LOGIN)]

    async def alone() -> bool:
        others = """
          select count(*) from pg_stat_activity
          where datname = $1 and pid <> pg_backend_pid() and (usename <> $2 or pid = any($3))
        """
        return bool(await owner.fetchval(others, database, LOGIN, ended) == 0)

    await until(alone)
    await owner.execute("select pg_stat_clear_snapshot()")
    return int(await owner.fetchval("select deadlocks from pg_stat_database where datname = $1", database))
