"""The campaign `fuzz` in small: a few operations of a house in memory, and two faults that must be found."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.proof.fuzz.__main__ import fuzzed
from tests.proof.fuzz.campaign import Campaign
from tests.proof.fuzz.houses import Keep, in_memory
from tests.proof.fuzz.plants import PLANTS, Planted
from tests.rest.world import World

pytestmark = pytest.mark.filterwarnings("ignore")
OPERATIONS = {"jobs-read", "jobs-revise", "bookings-search", "messaging-send"}
House = tuple[asyncio.Runner, World, Keep]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house in memory, in a loop of its own; nobody reads its log."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with asyncio.Runner() as runner, in_memory(runner) as (world, keep):
        yield runner, world, keep
    structlog.configure(**before)


def test_whatever_is_asked_the_document_tells_what_is_answered(house: House) -> None:
    runner, world, keep = house
    world.renew()
    found = fuzzed(runner, world, keep, examples=8, seeded=1, only=OPERATIONS)
    assert found.failures == {}
    assert found.reached.keys() == OPERATIONS
    assert len(found.successful) >= 3


@pytest.mark.parametrize("fault", ["a server error", "a promised header left out"])
def test_a_broken_promise_is_found(house: House, fault: str) -> None:
    runner, world, keep = house
    world.renew()
    campaign = Campaign(runner, world, app=Planted(world.app, PLANTS[fault]))
    found = campaign.run(examples=8, seeded=1, keep=keep, only={"profiles-read-own"})
    assert found.failures
