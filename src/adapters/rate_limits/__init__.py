"""Rate limits counted in this process, by a moving window, or not at all."""

import math

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from adapters.system.clock import SystemClock
from application.ports.limits import Allowance, Rate, RateLimiter


class MemoryRateLimiter(RateLimiter):
    """Each process counts for itself: with several, a caller gets the rate from each of them."""

    def __init__(self) -> None:
        # The library counts by the machine's clock, whatever ours says.
        self._machine = SystemClock()
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def take(self, rate: Rate, *, what: str, identity: str) -> Allowance:
        item = RateLimitItemPerSecond(rate.times, rate.seconds)
        allowed = await self._windows.hit(item, what, identity)
        stats = await self._windows.get_window_stats(item, what, identity)
        wait = max(1, math.ceil(stats.reset_time - self._machine.now().timestamp()))
        return Allowance(allowed, stats.remaining, wait)


class Unlimited(RateLimiter):
    """Everybody may ask as often as they like."""

    async def take(self, rate: Rate, *, what: str, identity: str) -> Allowance:
        return Allowance(True, rate.times, 0)
