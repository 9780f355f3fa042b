"""The week the journey is played in, around the night Berlin's clocks change; reckoned with nothing but zoneinfo."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = "Europe/Berlin"
_BERLIN = ZoneInfo(ZONE)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Week:
    """Days before and after `sunday`, the date whose night is an hour shorter or longer than others."""

    sunday: date

    @classmethod
    def after(cls, now: datetime) -> "Week":
        """The next one that is at least five days away."""
        day = now.astimezone(_BERLIN).date() + timedelta(days=5)
        while _offset(day) == _offset(day + timedelta(days=1)):
            day += timedelta(days=1)
        return cls(day)

    @property
    def opening(self) -> datetime:
        """When the journey begins: Thursday morning, three days before."""
        return self.at(-3, "08:00")

    @property
    def shift(self) -> timedelta:
        """By how much the clocks are moved."""
        return _offset(self.day(1)) - _offset(self.day(0))

    def day(self, days: int) -> date:
        """So many days after the Sunday."""
        return self.sunday + timedelta(days=days)

    def at(self, days: int, wall: str) -> datetime:
        """What the clocks of Berlin show on that day, as an instant."""
        return datetime.combine(self.day(days), time.fromisoformat(wall), _BERLIN).astimezone(UTC)

    def starts(self, days: int, *windows: str) -> list[datetime]:
        """The hourly starts of hour-long work in these windows of that day: real hours from the window's first."""
        return sorted(start for window in windows for start in self._hours(days, window))

    def _hours(self, days: int, window: str) -> Iterator[datetime]:
        opens, closes = (self.at(days, wall) for wall in window.split("-"))
        while opens + _HOUR <= closes:
            yield opens
            opens += _HOUR


def spelled(moment: datetime) -> str:
    """As the API spells it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moments(spelled_ones: Iterable[str]) -> list[datetime]:
    """The other way round."""
    return [datetime.fromisoformat(each) for each in spelled_ones]


def _offset(day: date) -> timedelta:
    return datetime.combine(day, time(), _BERLIN).utcoffset() or timedelta()
