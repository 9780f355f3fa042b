"""A few storms of webhooks, and the storms' own planted bugs."""

import pytest

from tests.planted.reconciling import CARELESS
from tests.proof.storms.campaign import noticed, stormed


@pytest.mark.parametrize("seed", range(4))
async def test_a_storm_ends_as_calm_weather_does(seed: int) -> None:
    came = await stormed(seed)
    assert came.failures == []
    assert came.storms == 5


@pytest.mark.parametrize("bug", ["cumulative amount posted as delta", *CARELESS])
def test_a_planted_bug_is_noticed(bug: str) -> None:
    assert noticed(bug) is not None
