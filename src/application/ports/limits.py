"""How fast somebody may ask."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `times` in any stretch of `seconds`."""

    times: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether this one was allowed, how many are left, and the seconds until there is room again."""

    allowed: bool
    remaining: int
    reset_after: int


class RateLimiter(Protocol):
    """Counts what each identity asks for."""

    async def take(self, rate: Rate, *, what: str, identity: str) -> Allowance:
        """Count one more of `what` by `identity`, if the rate has room for it."""
        ...
