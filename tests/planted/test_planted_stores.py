"""A check that cannot fail is a defect: each of these finds the bug that was planted for it."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.pools import Pool
from adapters.postgres.store import PostgresStore
from tests.contracts import races
from tests.contracts.stores import connected
from tests.planted.stores import (
    CounterByVersion,
    CursorOutbox,
    claims_wait_for_each_other,
    claims_without_order,
    guards_read_plainly,
    nobody_locks,
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    made = Pool(database, role="service_role", size=16)
    yield made
    await made.close()


@pytest.mark.parametrize("lock", [False, True])
async def test_guards_that_read_plainly_are_found(pool: Pool, database: str, lock: bool) -> None:
    planted = guards_read_plainly(pool)
    with pytest.raises(AssertionError, match="a booking was made of an archived job"):
        await races.a_guard_sees_what_was_decided_before_it(PostgresStore(planted), database, lock=lock)
    assert planted.rewritten


async def test_counters_by_version_are_found(pool: Pool) -> None:
    with pytest.raises(AssertionError, match="of 100 were refused"):
        await races.writers_number_without_gaps(CounterByVersion(pool))


async def test_claims_without_order_are_found(pool: Pool) -> None:
    planted = claims_without_order(pool)
    with pytest.raises(AssertionError, match="two events of one aggregate"):
        await races.events_keep_their_order(PostgresStore(planted))
    assert planted.rewritten


async def test_claimers_that_wait_are_found(pool: Pool, database: str) -> None:
    planted = claims_wait_for_each_other(pool)
    with pytest.raises(AssertionError, match="a claimer waits for another"):
        await races.claimers_pass_each_other_by(PostgresStore(planted), database)
    assert planted.rewritten


async def test_bookings_without_a_lock_are_found(database: str) -> None:
    planted = []

    def make(pool: Pool) -> PostgresStore:
        planted.append(nobody_locks(pool))
        return PostgresStore(planted[-1])

    with pytest.raises(AssertionError, match=r"deadlocks|refused with"):
        await races.one_slot_has_one_winner(database, make)
    assert any(pool.rewritten for pool in planted)


async def test_an_outbox_read_like_a_log_is_found(pool: Pool, database: str) -> None:
    with pytest.raises(AssertionError, match="an event was lost"):
        await races.what_commits_late_is_delivered(CursorOutbox(pool), database)


async def test_the_checks_pass_where_nothing_is_planted(pool: Pool, database: str) -> None:
    store = PostgresStore(pool)
    await races.a_guard_sees_what_was_decided_before_it(store, database, lock=True)
    await races.events_keep_their_order(store)
    async with connected(database) as owner:
        await owner.execute("delete from outbox")
    await races.what_commits_late_is_delivered(store, database)
