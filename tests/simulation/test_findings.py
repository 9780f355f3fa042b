"""What the simulation found, each as a small story of its own."""

from datetime import timedelta
from uuid import UUID

import pytest

from adapters.persistence.store import Changes, Tally
from domain.shared.errors import StaleVersion
from tests.support.house import House


async def test_who_gives_back_seats_that_another_has_given_back_tries_again() -> None:
    """A hold's own reminder and the sweeper expired it in the same instant. The second gave the seats of the session
    back once more, was told that a rule was broken, and an honest customer who cancelled just then would have been."""
    house = House()
    series = f"seats:{UUID(int=7)}"
    await house.store.commit(Changes(tallies=(Tally(series, 2, 3),)))
    await house.store.commit(Changes(tallies=(Tally(series, -2),)))
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(StaleVersion):
        await house.store.commit(Changes(tallies=(Tally(series, -2),)))
