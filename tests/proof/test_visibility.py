"""The campaign `visibility` in small: random worlds judged three times, and mistakes that show in them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.planted.visibility import forgotten, relaxed
from tests.proof.visibility.deciding import SCRIPT, decide
from tests.proof.visibility.parts import Careless, Indulgent
from tests.visibility.probe import connected, furnish
from tests.visibility.world import World

SEEDS = (1, 2)


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Any]:
    """A database ready to be asked, with nobody in it yet."""
    await furnish(database, World())
    async with connected(database) as connection:
        await connection.execute(SCRIPT)
        yield connection


async def test_the_three_readings_agree(owner: Any) -> None:
    decisions = 0
    for seed in SEEDS:
        decided = await decide(owner, seed)
        assert decided.differences == []
        assert 0.1 < decided.shown / decided.decisions < 0.9
        decisions += decided.decisions
    assert decisions > 10_000


@pytest.mark.parametrize(
    "harm", [next(forgotten()).statement, next(relaxed()).statement], ids=["a forgotten term", "a relaxed term"]
)
async def test_a_mistake_in_a_policy_shows(harm: str, owner: Any) -> None:
    assert (await decide(owner, SEEDS[0], harm=harm)).differences


@pytest.mark.parametrize("eyes", [Indulgent, Careless])
async def test_a_mistake_in_memory_shows(eyes: Any, owner: Any) -> None:
    assert (await decide(owner, SEEDS[0], eyes=eyes)).differences
