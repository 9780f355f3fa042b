"""A house that is lived in stays tidy: what was delivered is forgotten in time, what may still matter is kept."""

from datetime import timedelta

import pytest

from adapters.persistence.housekeeping import Housekeeping
from application.commands import Command
from application.jobs import ArchiveJob, PublishJob
from tests.application.marketplace import Marketplace


@pytest.fixture
def market() -> Marketplace:
    return Marketplace()


@pytest.fixture
def keeping(market: Marketplace) -> Housekeeping:
    return Housekeeping(market.store, market.clock)


def keyed(key: str) -> Command:
    return Command(principal="user:vera", operation="jobs-publish", key=key, fingerprint="f")


async def test_a_clients_receipt_is_kept_for_a_day(market: Marketplace, keeping: Housekeeping) -> None:
    vera = await market.provider()
    draft = await market.job(vera, publish=False)
    await market.perform(keyed("k"), lambda: market.use(PublishJob)(vera, draft.id))
    market.clock.advance(timedelta(hours=23))
    await keeping.tidy()
    again = await market.perform(keyed("k"), lambda: market.use(PublishJob)(vera, draft.id))
    assert again.replayed
    market.clock.advance(timedelta(hours=2))
    assert await keeping.tidy() == 1
    assert market.rows("receipts") == []


async def test_a_reactions_receipt_lives_as_long_as_its_event(market: Marketplace, keeping: Housekeeping) -> None:
    vera = await market.provider()
    await market.job(vera)
    await market.deliver().all()
    for row in market.rows("outbox"):
        command = Command(principal="system", operation="React", key=str(row["id"]), fingerprint="", life=None)
        job = await market.job(vera, publish=False)
        await market.perform(command, lambda job=job: market.use(PublishJob)(vera, job.id))
    kept = len(market.rows("receipts"))
    market.clock.advance(timedelta(days=6))
    await keeping.tidy()
    assert len(market.rows("receipts")) == kept > 0
    market.clock.advance(timedelta(days=2))
    await keeping.tidy()
    assert market.rows("receipts") == []


async def test_events_that_were_not_delivered_are_never_forgotten(market: Marketplace, keeping: Housekeeping) -> None:
    vera = await market.provider()
    await market.job(vera)
    waiting = len(market.rows("outbox"))
    market.clock.advance(timedelta(days=400))
    await keeping.tidy()
    assert len(market.rows("outbox")) == waiting
    assert await keeping.backlog() == {"due": waiting, "scheduled": 0, "dead": 0}
    await market.deliver().all()
    market.clock.advance(timedelta(days=8))
    await keeping.tidy()
    assert market.rows("outbox") == []


async def test_one_round_forgets_more_than_one_batch(market: Marketplace) -> None:
    vera = await market.provider()
    job = await market.job(vera)
    for _ in range(5):
        await market.use(ArchiveJob)(vera, job.id)
        await market.use(PublishJob)(vera, job.id)
    await market.deliver().all()
    market.clock.advance(timedelta(days=8))
    assert await Housekeeping(market.store, market.clock, batch=2).tidy() > 10
    assert market.rows("outbox") == []
