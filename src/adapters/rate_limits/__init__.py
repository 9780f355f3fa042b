"""Rate limits counted in this process, by a moving window, or not at all."""

import math
from collections import deque

from application.ports.clock import Clock
from application.ports.limits import Allowance, Rate, RateLimiter


class MemoryRateLimiter(RateLimiter):
    """Remembers when each identity asked, as far back as its window reaches. Each process counts for itself: with
    several, a caller gets the rate from each of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[tuple[str, str, int], deque[float]] = {}
        """What, who and the seconds of the window: the moments in it, the oldest first."""
        self._tidied_at = 0.0

    async def take(self, rate: Rate, *, what: str, identity: str) -> Allowance:
        now = self._clock.now().timestamp()
        asked = self._asked.setdefault((what, identity, rate.seconds), deque())
        if asked and asked[-1] > now:
            asked.clear()  # the clock was put back
        while asked and asked[0] <= now - rate.seconds:
            asked.popleft()
        allowed = len(asked) < rate.times
        if allowed:
            asked.append(now)
        self._tidy(now, rate.seconds)
        return Allowance(allowed, rate.times - len(asked), max(1, math.ceil(asked[0] + rate.seconds - now)))

    def _tidy(self, now: float, seconds: int) -> None:
        """Forget, once in a while, who has not asked for longer than their window."""
        if abs(now - self._tidied_at) < seconds:
            return
        self._tidied_at = now
        self._asked = {key: asked for key, asked in self._asked.items() if asked[-1] > now - key[2]}


class Unlimited(RateLimiter):
    """Everybody may ask as often as they like."""

    async def take(self, rate: Rate, *, what: str, identity: str) -> Allowance:
        return Allowance(True, rate.times, 0)
