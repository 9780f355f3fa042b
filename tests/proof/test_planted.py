"""The campaign `planted` in small: mistakes that show within a seed or two, and a world in which nothing is planted."""

import pytest

from tests.planted.catalogue import SIMULATED
from tests.planted.database import ON_POSTGRES
from tests.proof.planted.campaign import control, silently, simulated
from tests.proof.schedules.planted import PLANTED as SCHEDULED

SOON = {"no transaction": 1, "tokens are stored as they are": 1, "processed is never marked": 1}
"""Each with a seed at which it shows."""


@pytest.mark.parametrize("name", SOON)
def test_a_planted_mistake_is_found(name: str) -> None:
    with silently():
        find = simulated(name, starts=[SOON[name]], most=3)
    assert find.found, find.line()


async def test_a_mistake_of_the_database_is_found(database: str) -> None:
    assert await ON_POSTGRES["a claim without order"].found(database)


async def test_a_sound_store_wins_its_race(database: str) -> None:
    assert await ON_POSTGRES["a claim without order"].control(database) is None


def test_where_nothing_is_planted_nothing_is_found() -> None:
    assert control([1]) == []


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({*SIMULATED, *ON_POSTGRES, *SCHEDULED}) == len(SIMULATED) + len(ON_POSTGRES) + len(SCHEDULED)
    assert len(SIMULATED) + len(ON_POSTGRES) >= 25
