"""Opening hours as a provider writes them: wall-time windows, and the days and stretches that are different."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from domain.scheduling.stretches import Stretch, joined
from domain.shared.errors import Invalid
from domain.shared.time import Span, zone

Windows = tuple[str, ...]
"""One date's windows, each `HH:MM-HH:MM`. `24:00` ends the day, a close before the open runs past midnight, a close
equal to the open is empty, windows that touch are one."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_WINDOWS = 24

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


class BadWindow(Invalid):
    """A window that is not `HH:MM-HH:MM`."""

    code = "availability.bad_window"

    def __init__(self, window: str, field: str) -> None:
        super().__init__(f"{window[:20]!r} is not a window such as 09:00-17:30", field=field, window=window[:20])


class TooManyWindows(Invalid):
    """More windows in one day than anybody opens and closes."""

    code = "availability.too_many_windows"

    def __init__(self, count: int, field: str) -> None:
        super().__init__(f"a day has at most {MOST_WINDOWS} windows", field=field, count=count, most=MOST_WINDOWS)


class BadTimeOff(Invalid):
    """Time off that is neither a run of dates nor a stretch between two moments."""

    code = "availability.bad_time_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """The hours of an ordinary week, by the local date on which a window opens; a day without windows is closed."""

    monday: Windows = ()
    tuesday: Windows = ()
    wednesday: Windows = ()
    thursday: Windows = ()
    friday: Windows = ()
    saturday: Windows = ()
    sunday: Windows = ()

    def __post_init__(self) -> None:
        for day in DAYS:
            object.__setattr__(self, day, checked(getattr(self, day), field=day))

    def by_weekday(self) -> tuple[Windows, ...]:
        """The windows of each day, Monday first."""
        return (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)

    @classmethod
    def every_day(cls, *windows: str) -> "Weekly":
        """The same hours on all seven days."""
        return cls(**dict.fromkeys(DAYS, windows))

    @classmethod
    def workdays(cls, *windows: str) -> "Weekly":
        """The same hours from Monday to Friday, closed at the weekend."""
        return cls(**dict.fromkeys(DAYS[:5], windows))


@dataclass(frozen=True, slots=True)
class Override:
    """The hours of one local date, in place of all its weekly ones and of what would spill in from the evening before;
    without windows the date is closed."""

    day: date
    windows: Windows = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", checked(self.windows, field="windows"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOff:
    """Time that is closed whatever the hours say: local dates `first` to `last`, both included, or the real time from
    `starts_at` to `ends_at`. It holds no reason, for everybody may read it."""

    id: UUID
    first: date | None = None
    last: date | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        dates, moments = (self.first, self.last), (self.starts_at, self.ends_at)
        if dates == (None, None):
            if self.starts_at is None or self.ends_at is None:
                raise BadTimeOff("time off is given as two dates or as two moments", field="starts_at")
            span = Span(self.starts_at, self.ends_at)
            object.__setattr__(self, "starts_at", span.starts_at)
            object.__setattr__(self, "ends_at", span.ends_at)
        elif self.first is None or self.last is None or moments != (None, None):
            raise BadTimeOff("time off is given as two dates or as two moments", field="first")
        elif self.last < self.first:
            raise BadTimeOff("the last day off is not before the first", field="last")

    def last_day(self, zone_name: str) -> date:
        """The last local date it touches."""
        if self.ends_at is None:
            return self.last or date.max
        return self.ends_at.astimezone(zone(zone_name)).date()


def checked(windows: Windows, *, field: str) -> Windows:
    """The windows as given, or a refusal naming the first that is none."""
    if len(windows) > MOST_WINDOWS:
        raise TooManyWindows(len(windows), field)
    for window in windows:
        if not _WINDOW.fullmatch(window):
            raise BadWindow(window, field)
    return tuple(windows)


@lru_cache(maxsize=4096)
def opening_minutes(windows: Windows) -> tuple[Stretch, ...]:
    """Sound windows as minutes from their date's midnight, joined; past midnight they run beyond 24 * 60."""
    return tuple(joined(_minutes(window) for window in windows))


def _minutes(window: str) -> Stretch:
    opens = int(window[0:2]) * 60 + int(window[3:5])
    closes = int(window[6:8]) * 60 + int(window[9:11])
    return opens, closes if closes >= opens else closes + 24 * 60
