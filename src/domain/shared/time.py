"""Instants, spans and zones. At rest every instant is aware UTC; a wall time is nothing without its zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.shared.errors import Invalid

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Instants outside these are nonsense for a business, and some stores cannot hold them."""


def instant(moment: datetime) -> datetime:
    """The same moment in UTC; refuses a time without an offset or outside the centuries we keep."""
    if moment.tzinfo is None:
        raise Invalid("a moment needs an offset from UTC", field="moment")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("that moment is outside the calendar", field="moment") from None
    if not EARLIEST <= moment <= LATEST:
        raise Invalid("that moment is outside the calendar", field="moment")
    return moment


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name, or a refusal."""
    try:
        if not name or "\0" in name or name.startswith(("/", ".")):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is not an IANA time zone", field="zone") from None


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of real time, `[starts_at, ends_at)`, in UTC."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts_at", instant(self.starts_at))
        object.__setattr__(self, "ends_at", instant(self.ends_at))
        if self.ends_at <= self.starts_at:
            raise Invalid("a span ends after it starts", field="ends_at")

    @property
    def length(self) -> timedelta:
        """Real time between the ends."""
        return self.ends_at - self.starts_at

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share any instant; touching is not overlapping."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def padded(self, before: timedelta, after: timedelta) -> "Span":
        """This span with time kept free on each side."""
        return Span(self.starts_at - before, self.ends_at + after)
