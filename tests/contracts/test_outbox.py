"""What the outbox promises on every store: order within an aggregate, one worker at a time, nothing lost."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.persistence.mapper import JSON
from adapters.persistence.outbox import TRIES_TO_READ, StoredOutbox
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Insert
from adapters.system.clock import StandingClock
from application.ports.outbox import Delivery
from domain.jobs import JobArchived
from domain.shared.errors import NotFound, StaleVersion
from domain.shared.ids import JobId, OrganizationId, UserId
from tests.contracts import races
from tests.contracts.rows import Rows
from tests.contracts.stores import NOW, Backend, backend, postgres

__all__ = ["backend", "postgres"]

LEASE = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
ONE, OTHER = UUID(int=1), UUID(int=2)


class Office:
    """An outbox on some store, and the events put into it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.rows = Rows()
        self.clock = StandingClock(NOW)
        self.outbox = StoredOutbox(backend.store, self.clock)

    async def put(self, subject: UUID, version: int, position: int = 0, **told: Any) -> Row:
        """Commit an event of an aggregate, made unmistakable by its payload."""
        event = JobArchived(
            job_id=JobId(subject), provider_id=UserId(UUID(int=version)), organization_id=OrganizationId(self.rows.id())
        )
        row = self.rows.row(
            "outbox",
            **{
                "name": event.name,
                "payload": JSON.unstructure(event),
                "subject_id": subject,
                "subject_version": version,
                "position": position,
                **told,
            },
        )
        await self.backend.commit(Insert("outbox", row))
        return row

    async def claim(self, limit: int = 10) -> list[Delivery]:
        """Lease what is due now."""
        return list(await self.outbox.claim(lease=LEASE, limit=limit))

    async def claimed(self, limit: int = 10) -> list[UUID]:
        """The ids of what is leased now."""
        return [delivery.id for delivery in await self.claim(limit)]


@pytest.fixture
def office(backend: Backend) -> Office:
    return Office(backend)


async def test_events_of_an_aggregate_keep_their_order(backend: Backend) -> None:
    await races.events_keep_their_order(backend.store)


async def test_an_event_comes_back_as_it_was_recorded(office: Office) -> None:
    row = await office.put(ONE, 3)
    (delivery,) = await office.claim()
    assert delivery.event == JSON.structure(row["payload"], JobArchived)
    assert (delivery.id, delivery.attempts) == (row["id"], 1)


async def test_a_commit_that_ends_late_loses_no_event(postgres: Backend) -> None:
    await races.what_commits_late_is_delivered(postgres.store, postgres.url)


async def test_nothing_is_handed_out_before_it_is_due(office: Office) -> None:
    later = await office.put(ONE, 1, due_at=NOW + MINUTE, scheduled=True)
    assert await office.claimed() == []
    office.clock.advance(MINUTE)
    assert await office.claimed() == [later["id"]]


async def test_what_is_due_longest_comes_first_and_no_more_than_asked_for(office: Office) -> None:
    put = [await office.put(UUID(int=n), 1, due_at=NOW - n * MINUTE) for n in range(1, 5)]
    assert await office.claimed(limit=3) == [row["id"] for row in put[:0:-1]]
    assert await office.claimed(limit=3) == [put[0]["id"]]


async def test_scheduled_events_stand_outside_the_order(office: Office) -> None:
    first = await office.put(ONE, 1)
    second = await office.put(ONE, 3)
    reminder = await office.put(ONE, 2, due_at=NOW - MINUTE, scheduled=True)
    assert await office.claimed() == [reminder["id"], first["id"]]
    office.clock.advance(LEASE)
    reminded, delivery = await office.claim()
    assert (reminded.id, delivery.id) == (reminder["id"], first["id"])
    await office.outbox.finish(delivery)
    assert await office.claimed() == [second["id"]]


async def test_a_clock_that_runs_ahead_lets_no_later_event_overtake(office: Office) -> None:
    """Two processes recorded the events; the clock of the first was ahead of the second's, and of ours."""
    first = await office.put(ONE, 1, due_at=NOW + timedelta(milliseconds=50))
    second = await office.put(ONE, 2, due_at=NOW)
    assert await office.claimed() == []
    office.clock.advance(timedelta(milliseconds=50))
    assert await office.claimed() == [first["id"]]
    assert second["id"] != first["id"]


async def test_a_user_and_their_profile_share_an_id_and_no_order(office: Office) -> None:
    profile = await office.put(ONE, 1, subject_table="profiles")
    user = await office.put(ONE, 2, subject_table="users")
    assert set(await office.claimed()) == {profile["id"], user["id"]}


async def test_a_leased_event_is_nobody_elses_until_the_lease_ends(office: Office) -> None:
    row = await office.put(ONE, 1)
    next_one = await office.put(ONE, 2)
    elsewhere = StoredOutbox(office.backend.store, office.clock)
    (first,) = await office.claim()
    assert await elsewhere.claim(lease=LEASE, limit=10) == []
    office.clock.advance(LEASE - timedelta(microseconds=1))
    assert await elsewhere.claim(lease=LEASE, limit=10) == []
    office.clock.advance(timedelta(microseconds=1))
    (second,) = await elsewhere.claim(lease=LEASE, limit=10)
    assert (second.id, second.attempts) == (row["id"], 2)
    assert second.fence > first.fence
    with pytest.raises(StaleVersion):
        await office.outbox.finish(first)
    await elsewhere.finish(second)
    assert await office.claimed() == [next_one["id"]]


async def test_one_worker_that_leases_an_event_twice_settles_it_once(office: Office) -> None:
    await office.put(ONE, 1)
    (first,) = await office.claim()
    office.clock.advance(LEASE)
    (second,) = await office.claim()
    with pytest.raises(StaleVersion):
        await office.outbox.finish(first)
    await office.outbox.finish(second)
    assert (await office.backend.rows("outbox"))[0]["finished_at"] == office.clock.now()


async def test_a_postponed_event_waits_and_its_aggregate_with_it(office: Office) -> None:
    row, behind = await office.put(ONE, 1), await office.put(ONE, 1, position=1)
    (delivery,) = await office.claim()
    await office.outbox.postpone(delivery, until=NOW + 5 * MINUTE, error="no answer")
    other = await office.put(OTHER, 1)
    office.clock.advance(5 * MINUTE - LEASE)
    (elsewhere,) = await office.claim()
    assert elsewhere.id == other["id"]
    await office.outbox.finish(elsewhere)
    office.clock.advance(LEASE)
    (again,) = await office.claim()
    assert (again.id, again.attempts) == (row["id"], 2)
    assert (await office.backend.rows("outbox", id=row["id"]))[0]["last_error"] == "no answer"
    await office.outbox.finish(again)
    assert await office.claimed() == [behind["id"]]


async def test_a_dead_event_blocks_its_aggregate_and_no_other(office: Office) -> None:
    dead, behind = await office.put(ONE, 1), await office.put(ONE, 2)
    other = await office.put(OTHER, 1, due_at=NOW + MINUTE)
    (delivery,) = await office.claim()
    await office.outbox.bury(delivery, error="never works")
    office.clock.advance(timedelta(days=1))
    assert await office.claimed() == [other["id"]]
    stored = (await office.backend.rows("outbox", id=dead["id"]))[0]
    assert (stored["dead_at"], stored["last_error"], stored["finished_at"]) == (NOW, "never works", None)
    assert behind["id"] not in await office.claimed()


async def test_a_replayed_event_runs_again_before_those_behind_it(office: Office) -> None:
    dead, behind = await office.put(ONE, 1), await office.put(ONE, 2)
    (delivery,) = await office.claim()
    await office.outbox.bury(delivery, error="never works")
    await office.outbox.revive(dead["id"], skip=False)
    (again,) = await office.claim()
    assert (again.id, again.attempts) == (dead["id"], 1)
    await office.outbox.finish(again)
    assert await office.claimed() == [behind["id"]]


async def test_a_skipped_event_lets_those_behind_it_go(office: Office) -> None:
    dead, behind = await office.put(ONE, 1), await office.put(ONE, 2)
    (delivery,) = await office.claim()
    await office.outbox.bury(delivery, error="never works")
    await office.outbox.revive(dead["id"], skip=True)
    assert await office.claimed() == [behind["id"]]


async def test_only_the_dead_are_revived(office: Office) -> None:
    waiting = await office.put(ONE, 1)
    for id in (waiting["id"], UUID(int=7)):
        with pytest.raises(NotFound):
            await office.outbox.revive(id, skip=False)


async def test_an_event_nobody_can_read_holds_up_no_other_aggregate(office: Office) -> None:
    strange = await office.put(ONE, 1, name="job.renamed_in_a_newer_version")
    torn = await office.put(UUID(int=3), 1, payload={"job_id": 7})
    other = await office.put(OTHER, 1)
    assert await office.claimed() == [other["id"]]
    for _ in range(TRIES_TO_READ):
        office.clock.advance(LEASE)
        await office.claim()
    rows = {row["id"]: row for row in await office.backend.rows("outbox", finished_at=None)}
    assert rows[strange["id"]]["dead_at"] is not None
    assert "renamed" in rows[strange["id"]]["last_error"]
    assert rows[torn["id"]]["dead_at"] is not None


async def test_claimers_pass_each_other_by(postgres: Backend) -> None:
    await races.claimers_pass_each_other_by(postgres.store, postgres.url)


async def test_many_workers_at_once_share_the_events_among_them(backend: Backend) -> None:
    office = Office(backend)
    put = {(await office.put(UUID(int=n), 1))["id"] for n in range(1, 41)}
    workers = [StoredOutbox(backend.store, office.clock) for _ in range(8)]
    shares = await asyncio.gather(*(worker.claim(lease=LEASE, limit=10) for worker in workers))
    claimed = [delivery.id for share in shares for delivery in share]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) | set(await office.claimed(limit=100)) == put


async def test_workers_in_a_crowd_never_turn_the_order_round(postgres: Backend) -> None:
    office = Office(postgres)
    aggregates = [UUID(int=n) for n in range(1, 9)]
    for version in range(1, 6):
        await asyncio.gather(*(office.put(subject, version) for subject in aggregates))
    seen: dict[UUID, list[int]] = {subject: [] for subject in aggregates}

    async def work() -> None:
        outbox, idle = StoredOutbox(postgres.store, office.clock), 0
        while idle < 5:
            deliveries = await outbox.claim(lease=LEASE, limit=3)
            idle = 0 if deliveries else idle + 1
            for delivery in deliveries:
                assert isinstance(delivery.event, JobArchived)
                seen[delivery.event.job_id].append(delivery.event.provider_id.int)
                await asyncio.sleep(0)
                await outbox.finish(delivery)

    await asyncio.gather(*(work() for _ in range(6)))
    await work()
    assert seen == {subject: [1, 2, 3, 4, 5] for subject in aggregates}
