"""Counting by a moving window: never more than the rate in any stretch of it, and room again as time goes on."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapters.rate_limits import MemoryRateLimiter
from adapters.system.clock import StandingClock
from application.ports.limits import Rate

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RATE = Rate(5, 60)


async def test_the_rate_is_allowed_and_no_more_and_who_waits_as_told_is_served() -> None:
    clock = StandingClock(START + timedelta(seconds=13))
    limiter = MemoryRateLimiter(clock)
    taken = [await limiter.take(RATE, what="reads", identity="ana") for _ in range(6)]
    assert [one.allowed for one in taken] == [True] * 5 + [False]
    assert [one.remaining for one in taken] == [4, 3, 2, 1, 0, 0]
    assert taken[-1].reset_after == 60
    clock.advance(timedelta(seconds=59))
    assert not (await limiter.take(RATE, what="reads", identity="ana")).allowed
    clock.advance(timedelta(seconds=1))
    assert (await limiter.take(RATE, what="reads", identity="ana")).allowed


async def test_everybody_and_everything_is_counted_apart() -> None:
    limiter = MemoryRateLimiter(StandingClock(START))
    for who, what in (("ana", "reads"), ("ben", "reads"), ("ana", "writes")):
        assert (await limiter.take(Rate(1, 60), what=what, identity=who)).allowed
    assert not (await limiter.take(Rate(1, 60), what="reads", identity="ana")).allowed


async def test_who_has_not_asked_for_long_is_forgotten() -> None:
    clock = StandingClock(START)
    limiter = MemoryRateLimiter(clock)
    for number in range(50):
        await limiter.take(RATE, what="reads", identity=str(number))
    clock.advance(timedelta(minutes=5))
    await limiter.take(RATE, what="reads", identity="ana")
    assert len(limiter._asked) == 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
async def test_no_stretch_holds_more_than_the_rate_and_who_waits_as_told_is_served(pauses: list[int]) -> None:
    clock = StandingClock(START)
    limiter = MemoryRateLimiter(clock)
    allowed: list[datetime] = []
    for pause in pauses:
        clock.advance(timedelta(seconds=pause))
        one = await limiter.take(RATE, what="reads", identity="ana")
        if one.allowed:
            allowed.append(clock.now())
        else:
            clock.advance(timedelta(seconds=one.reset_after))
            assert (await limiter.take(RATE, what="reads", identity="ana")).allowed
            allowed.append(clock.now())
    for moment in allowed:
        window = [other for other in allowed if moment - timedelta(seconds=60) < other <= moment]
        assert len(window) <= RATE.times
