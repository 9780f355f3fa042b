"""A simulation that cannot fail proves nothing: what is planted is found, and told as a short story."""

from entrypoints.container.simulating import Stage
from entrypoints.simulation.campaign import Options, explained, play
from tests.planted.simulated import without_exclusion

CONTENDED = Options(steps=30, faults="none")


def test_a_store_that_does_not_keep_bookings_apart_is_found_and_its_story_is_short() -> None:
    stage = Stage(without_exclusion())
    seed = next(seed for seed in range(1, 60) if play(seed, CONTENDED, on=stage).failure)
    failure = explained(seed, CONTENDED, on=stage, runs=100)
    assert failure is not None
    assert failure.rule == "rule B1"
    assert failure.steps <= 8
    assert any("FAILURE" in line for line in failure.story)
    assert sum("new booking" in line for line in failure.story) >= 2
    assert play(seed, CONTENDED).failure is None
