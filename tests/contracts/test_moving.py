"""A house is moved from any storage to any other: identical afterwards, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Update
from adapters.postgres.versions import newest
from adapters.system.clock import StandingClock
from application.moving import Way
from application.moving import carrying as pace
from application.ports.moving import Load
from domain.moving import (
    AlreadyMoving,
    BeingMoved,
    HasWrites,
    Leaving,
    MoveState,
    NotEmpty,
    NotIdentical,
    NotUnderWay,
    SamePlace,
    SchemaDiffers,
    TakenOver,
    Unfit,
)
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.errors import Unauthenticated, Unavailable
from tests.contracts.movers import MEMORY, NOW, POSTGRES, SUPABASE, End, end, lived_on, moved_out, mover
from tests.contracts.stores import connected, until
from tests.planted.moving import (
    FREEZE_THAT_DOES_NOT_WAIT,
    Passing,
    ResumesPastABatch,
    TailWithoutDeletes,
    WeighedByCount,
    WithoutAFence,
)
from tests.rules.lives import town_rows
from tests.support.servers import Servers

WAYS = [(POSTGRES, SUPABASE), (SUPABASE, POSTGRES), (MEMORY, POSTGRES), (SUPABASE, MEMORY), (MEMORY, MEMORY)]
Town = dict[str, list[Row]]


@pytest.fixture(scope="module")
def town() -> Town:
    """Every row of a town that has been lived in."""
    with TemporaryDirectory() as folder:
        tables, _ = town_rows(Path(folder))
        return {name: list(rows.values()) for name, rows in tables.items()}


@pytest.fixture(params=WAYS, ids=["-to-".join(way) for way in WAYS])
async def ends(request: pytest.FixtureRequest, postgres_servers: Servers, town: Town) -> AsyncIterator[tuple[End, End]]:
    """A house that is lived in, and an empty one."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(end(kind, postgres_servers)) for kind in request.param]
        await here.fill(town)
        yield here, there


@pytest.fixture(params=[WAYS[0], WAYS[-1]], ids=["databases", "memory"])
async def two(request: pytest.FixtureRequest, postgres_servers: Servers, town: Town) -> AsyncIterator[tuple[End, End]]:
    """The same, on PostgreSQL and PostgREST, and in memory."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(end(kind, postgres_servers)) for kind in request.param]
        await here.fill(town)
        yield here, there


@pytest.fixture
async def databases(postgres_servers: Servers, town: Town) -> AsyncIterator[tuple[End, End]]:
    """The same on two databases."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(end(POSTGRES, postgres_servers)) for _ in range(2)]
        await here.fill(town)
        yield here, there


@pytest.fixture
async def quick(town: Town) -> AsyncIterator[tuple[End, End]]:
    """The same in memory."""
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(end(MEMORY, None)) for _ in range(2)]  # type: ignore[arg-type]
        await here.fill(town)
        yield here, there


def small_batches(monkeypatch: pytest.MonkeyPatch, rows: int = 7) -> None:
    """So few rows at once that a small town takes many batches."""
    monkeypatch.setattr(pace, "BATCH", rows)


# --- There, and back --------------------------------------------------------------------------------------------------


async def test_a_house_is_the_same_after_it_has_moved(ends: tuple[End, End], town: Town) -> None:
    here, there = ends
    move = mover(here, there)
    plan = await move.plan(SYSTEM)
    assert (plan.way, plan.rows) == (Way.FRESH, sum(map(len, town.values())))
    outcome = await move.run(SYSTEM)
    assert outcome.copied == plan.rows
    cut = await move.cut_over(SYSTEM)
    assert cut.state is MoveState.CUT_OVER
    assert cut.verdict
    assert cut.verdict.identical
    assert cut.verdict.rows == plan.rows
    assert by_key(await there.rows()) == by_key(await here.rows()) == by_key(town)


async def test_a_house_that_moves_back_takes_along_what_was_done_meanwhile(ends: tuple[End, End]) -> None:
    here, there = ends
    await mover(here, there).run(SYSTEM)
    await mover(here, there).cut_over(SYSTEM)
    await lived_on(there)
    home = mover(there, here, seed=2)
    assert (await home.plan(SYSTEM)).way is Way.BACK
    outcome = await home.run(SYSTEM)
    assert (outcome.way, outcome.copied, outcome.changes) == (Way.BACK, 0, 2)
    await home.cut_over(SYSTEM)
    assert by_key(await there.rows()) == by_key(await here.rows())
    await lived_on(here, number=8)
    with pytest.raises(BeingMoved):
        await lived_on(there, number=8)


async def test_what_changes_while_the_house_is_copied_arrives_too(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch)
    here, there = ends
    busy = replace(here, house=Interrupted(here.house, lambda count: lived_on(here, number=count)))
    await mover(busy, there).run(SYSTEM)
    await lived_on(here, number=2_000)
    cut = await mover(here, there).cut_over(SYSTEM)
    assert cut.changes > 0
    assert by_key(await there.rows()) == by_key(await here.rows())


async def test_names_that_change_hands_while_they_are_copied_arrive(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    one, other = sorted(await here.store.load("users", {}), key=lambda user: str(user["id"]))[:2]
    aside = {**one, "email": "aside@town.example", "version": one["version"] + 1}
    for row in (aside, {**other, "email": one["email"]}, {**aside, "email": other["email"]}):
        version = row["version"] if row is aside else row["version"] + 1
        await here.store.commit(Changes(writes=(Update("users", {**row, "version": version}, version - 1),)))
        if row is aside:
            aside["version"] += 1
    await mover(here, there).cut_over(SYSTEM)
    assert by_key(await there.rows()) == by_key(await here.rows())


# --- Stopped and taken up again ---------------------------------------------------------------------------------------


async def test_a_move_goes_on_where_it_was_stopped_wherever_that_is(
    two: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, rows=60)
    here, there = two
    clock = StandingClock(NOW)
    stops = 0
    for last in range(1, 200, 2):
        stopped = replace(there, house=Stopped(there.house, after=last))
        try:
            await mover(here, stopped, seed=1, clock=clock).run(SYSTEM)
        except Power:
            stops += 1
            clock.advance(pace.LEASE)
        else:
            break
    assert stops > 5
    await mover(here, there, clock=clock).cut_over(SYSTEM)
    assert by_key(await there.rows()) == by_key(await here.rows())


async def test_a_resume_that_skips_what_was_not_written_is_caught(
    quick: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch)
    here, there = quick
    with suppress(Power):
        await mover(here, replace(there, house=Stopped(there.house, after=3))).run(SYSTEM)
    careless = replace(there, house=ResumesPastABatch(there.house, here.house))

    async def go_on() -> None:
        await mover(here, careless).run(SYSTEM, take_over=True)
        await mover(here, there).cut_over(SYSTEM)

    with pytest.raises((NotIdentical, Unfit)):
        await go_on()


async def test_of_two_movers_the_second_is_refused_until_the_first_is_taken_for_dead(two: tuple[End, End]) -> None:
    here, there = two
    clock = StandingClock(NOW)
    with suppress(Power):
        await mover(here, replace(there, house=Stopped(there.house, after=3)), clock=clock).run(SYSTEM)
    with pytest.raises(AlreadyMoving):
        await mover(here, there, clock=clock).run(SYSTEM)
    clock.advance(pace.LEASE + timedelta(seconds=1))
    await mover(here, there, clock=clock).run(SYSTEM)


async def test_what_a_mover_still_has_in_hand_when_another_takes_over_is_not_written(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    former = (await there.house.standing()).arriving
    await mover(here, there).run(SYSTEM, take_over=True)
    user = (await here.house.batch("users", after=None, most=1)).rows[0]
    late = {"users": Load(rows=[{**user, "email": "late@town.example"}])}
    with pytest.raises(TakenOver):
        await there.house.receive(former, late, at=NOW, until=NOW)
    assert (await mover(here, there).verify(SYSTEM)).identical
    await WithoutAFence(there.house).receive(former, late, at=NOW, until=NOW)
    assert not (await mover(here, there).verify(SYSTEM)).identical


# --- What is not the same is found ------------------------------------------------------------------------------------


async def test_one_byte_that_differs_is_caught_and_named(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    message = (await here.store.load("messages", {}))[0]
    await spoil(there, "messages", message["id"], text=message["text"] + " ")
    verdict = await mover(here, there).verify(SYSTEM)
    assert [(each.table, list(each.unlike)) for each in verdict.differences] == [("messages", [str(message["id"])])]
    with pytest.raises(NotIdentical, match="messages"):
        await mover(here, there).cut_over(SYSTEM)
    assert (await here.house.standing()).leaving.state is Leaving.WATCHED
    await lived_on(here)
    counted = mover(replace(here, house=WeighedByCount(here.house)), replace(there, house=WeighedByCount(there.house)))
    assert "messages" not in {each.table for each in (await counted.verify(SYSTEM)).differences}


async def test_a_row_that_is_missing_and_one_too_many_are_named(quick: tuple[End, End]) -> None:
    here, there = quick
    await mover(here, there).run(SYSTEM)
    mail, other = (await here.store.load("mails", {}))[:2]
    here.store.tables["mails"].remove(mail["id"])  # type: ignore[attr-defined]
    there.store.tables["mails"].remove(other["id"])  # type: ignore[attr-defined]
    [difference] = (await mover(here, there).verify(SYSTEM)).differences
    assert (list(difference.too_many), list(difference.missing)) == ([str(mail["id"])], [str(other["id"])])
    assert not difference.unlike


async def test_a_tail_that_forgets_what_has_gone_is_caught(quick: tuple[End, End]) -> None:
    here, there = quick
    await lived_on(here)
    await mover(here, there).run(SYSTEM)
    await moved_out(here)
    careless = mover(replace(here, house=TailWithoutDeletes(here.house)), there)
    with pytest.raises(NotIdentical, match="notifications"):
        await careless.cut_over(SYSTEM)


# --- The freeze -------------------------------------------------------------------------------------------------------


async def test_a_house_that_is_moved_into_takes_no_other_writes_before_it_is_opened(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    for doing in (lived_on(there), there.store.claim(now=NOW + timedelta(days=99), lease=pace.LEASE, limit=1)):
        with pytest.raises(BeingMoved) as refused:
            await doing
        assert refused.value.details["retry_after"] > 0
    await mover(here, there).cut_over(SYSTEM)
    await lived_on(there)
    with pytest.raises(BeingMoved):
        await lived_on(here, number=9)


async def test_a_commit_under_way_when_the_house_is_shut_is_carried_over(databases: tuple[End, End]) -> None:
    here, there = databases
    await mover(here, there).run(SYSTEM)
    assert await shut_during_a_commit(here, there) == ["late@town.example"]


async def test_a_freeze_that_does_not_wait_loses_such_a_commit(databases: tuple[End, End]) -> None:
    here, there = databases
    await mover(here, there).run(SYSTEM)
    async with connected(here.url) as owner:
        await owner.execute("select public.move_triggers(false, false, '{}')")
        await owner.execute(FREEZE_THAT_DOES_NOT_WAIT)
    assert await shut_during_a_commit(here, there) == []


async def test_a_house_that_cannot_be_shut_in_time_serves_on(databases: tuple[End, End]) -> None:
    here, there = databases
    await mover(here, there).run(SYSTEM)
    async with connected(here.url) as owner:
        await owner.execute("alter function move_triggers(boolean, boolean, text[]) set lock_timeout = '50ms'")
        async with owner.transaction():
            await owner.execute("lock table users in share row exclusive mode")
            with pytest.raises(Unavailable, match="holds on to a table"):
                await mover(here, there).cut_over(SYSTEM)
    await lived_on(here)
    await mover(here, there).cut_over(SYSTEM)


# --- Going back -------------------------------------------------------------------------------------------------------


async def test_after_a_rollback_the_old_house_serves_and_the_new_one_is_shut(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    await mover(here, there).cut_over(SYSTEM)
    await mover(here, there).roll_back(SYSTEM)
    await lived_on(here)
    with pytest.raises(BeingMoved):
        await lived_on(there)
    with pytest.raises(NotUnderWay):
        await mover(here, there).run(SYSTEM)


@pytest.mark.parametrize("late_word", [Leaving.WATCHED, Leaving.FROZEN, Leaving.LEFT])
async def test_a_late_word_of_a_killed_mover_does_not_shut_a_house_that_stayed(
    two: tuple[End, End], late_word: Leaving
) -> None:
    here, there = two
    move = (await mover(here, there).run(SYSTEM)).move
    await mover(here, there).roll_back(SYSTEM)
    with pytest.raises(NotUnderWay):
        await here.house.leave(move, late_word, at=NOW)
    await lived_on(here)
    mark = (await here.house.standing()).leaving
    assert mark is not None
    assert mark.state is Leaving.STAYED


async def test_a_house_that_hears_a_late_word_would_be_shut(databases: tuple[End, End]) -> None:
    here, there = databases
    move = (await mover(here, there).run(SYSTEM)).move
    await mover(here, there).roll_back(SYSTEM)
    async with connected(here.url) as owner:
        source = await owner.fetchval("select pg_get_functiondef('move_leave'::regproc)")
        assert "move_leave.state <> 'stayed' and" in source
        await owner.execute(source.replace("move_leave.state <> 'stayed' and", "false and"))
    await here.house.leave(move, Leaving.FROZEN, at=NOW)
    with pytest.raises(BeingMoved):
        await lived_on(here)


async def test_a_new_house_that_has_taken_writes_is_not_rolled_back(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    await mover(here, there).cut_over(SYSTEM)
    await lived_on(there)
    with pytest.raises(HasWrites):
        await mover(here, there).roll_back(SYSTEM)
    await lived_on(there, number=9)


async def test_an_old_house_whose_new_one_is_lost_is_opened_alone(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    await mover(here, there).cut_over(SYSTEM)
    gone = replace(there, house=Stopped(there.house, after=0))
    await mover(here, gone).roll_back(SYSTEM, lost=True)
    await lived_on(here)


async def test_once_a_move_is_closed_there_is_no_way_back(two: tuple[End, End]) -> None:
    here, there = two
    await mover(here, there).run(SYSTEM)
    await mover(here, there).cut_over(SYSTEM)
    await mover(here, there).close(SYSTEM)
    await lived_on(there)
    assert (await there.house.standing()).noted == 0
    with pytest.raises(NotUnderWay):
        await mover(here, there).roll_back(SYSTEM)
    with pytest.raises(NotEmpty):
        await mover(there, here).plan(SYSTEM)


# --- Who must not move ------------------------------------------------------------------------------------------------


async def test_a_house_is_not_moved_onto_itself_or_onto_others(two: tuple[End, End]) -> None:
    here, there = two
    for one in (here, there):
        with pytest.raises(SamePlace):
            await mover(one, one).run(SYSTEM)
    await lived_on(there)
    for refused in (mover(here, there).plan, mover(here, there).run):
        with pytest.raises(NotEmpty) as held:
            await refused(SYSTEM)
        assert held.value.details["tables"] == {"users": 1, "notifications": 1}
    assert (await here.house.standing()).leaving is None


async def test_houses_of_different_schemas_are_not_moved(quick: tuple[End, End]) -> None:
    here, there = quick
    there.house._revision = "9999"
    with pytest.raises(SchemaDiffers, match="on the origin first") as refused:
        await mover(here, there).run(SYSTEM)
    assert refused.value.details == {"origin": newest(), "destination": "9999"}


async def test_a_house_leaves_for_one_place_at_a_time(quick: tuple[End, End]) -> None:
    here, there = quick
    await mover(here, there).run(SYSTEM)
    async with end(MEMORY, None) as elsewhere:  # type: ignore[arg-type]
        for refused in (mover(here, elsewhere, seed=3).plan, mover(here, elsewhere, seed=3).run):
            with pytest.raises(AlreadyMoving):
                await refused(SYSTEM)


async def test_a_stranger_moves_nothing(quick: tuple[End, End]) -> None:
    move = mover(*quick)
    for use_case in (move.plan, move.run, move.verify, move.cut_over, move.roll_back, move.close):
        with pytest.raises(Unauthenticated):
            await use_case(ANONYMOUS)  # type: ignore[operator]


async def test_nothing_is_cut_over_before_it_was_copied(quick: tuple[End, End]) -> None:
    here, there = quick
    with pytest.raises(NotUnderWay):
        await mover(here, there).cut_over(SYSTEM)
    with suppress(Power):
        await mover(here, replace(there, house=Stopped(there.house, after=3))).run(SYSTEM)
    with pytest.raises(NotUnderWay, match="not all there yet"):
        await mover(here, there).cut_over(SYSTEM)


# --- What the tests do ------------------------------------------------------------------------------------------------


def by_key(rows: Town) -> dict[str, dict[Any, Row]]:
    """Rows by table and key, empty tables left out."""
    return {table: {row.get("id", row.get("name")): row for row in some} for table, some in rows.items() if some}


async def spoil(house: End, table: str, id: UUID, **columns: Any) -> None:
    """Change a row past every guard."""
    if not house.url:
        kept = house.store.tables[table]  # type: ignore[attr-defined]
        kept.restore(id, {**kept.rows[id], **columns})
        return
    async with connected(house.url) as owner, owner.transaction():
        await owner.execute(f"alter table {table} disable trigger all")
        for column, value in columns.items():
            await owner.execute(f"update {table} set {column} = $1 where id = $2", value, id)
        await owner.execute(f"alter table {table} enable trigger all")


async def shut_during_a_commit(here: End, there: End) -> list[str]:
    """Cut over while somebody's commit is under way; what of it is there in the new house."""
    async with connected(here.url) as late:
        transaction = late.transaction()
        await transaction.start()
        await late.execute(
            "insert into users (id, version, email, role, epoch, created_at) values ($1, 1, $2, 'customer', 1, $3)",
            UUID(int=5),
            "late@town.example",
            NOW,
        )
        cutting = asyncio.ensure_future(mover(here, there).cut_over(SYSTEM))
        async with connected(here.url) as onlooker:
            await until(lambda: onlooker.fetchval(WAITING) if not cutting.done() else asyncio.sleep(0, True))
        await transaction.commit()
        await cutting
    return [user["email"] for user in await there.store.load("users", {"id": UUID(int=5)})]


WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


class Power(Exception):
    """It is gone."""


class Stopped(Passing):
    """A house whose mover is killed at one of its calls: before it, or after it without hearing the answer."""

    def __init__(self, house: Any, *, after: int) -> None:
        super().__init__(house)
        self._left = after

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)

        async def counted(*args: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Power
            answer = await call(*args, **named)
            if self._left == 0 and name == "receive":
                raise Power
            return answer

        return counted


class Interrupted(Passing):
    """A house in which something is done whenever a batch is read from it."""

    def __init__(self, house: Any, doing: Any) -> None:
        super().__init__(house)
        self._doing, self._count = doing, 1_000

    async def batch(self, table: str, *, after: str | None, most: int) -> Any:
        found = await self._house.batch(table, after=after, most=most)
        self._count += 1
        if self._count < 1_040:
            await self._doing(self._count)
        return found
