"""Whether somebody works throughout a span, told by looking at every minute of it on the wall clock: slower than the
engine that offers slots, and independent of it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.persistence.schema.tables import Row
from domain.shared.time import Span

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def works_throughout(availability: Row, span: Span) -> bool:
    """Whether every minute of the span is open in these hours."""
    clock = ZoneInfo(availability["zone"])
    overridden = {date.fromisoformat(each["day"]): each["windows"] for each in availability["overrides"]}
    moment = span.starts_at
    while moment < span.ends_at:
        wall = moment.astimezone(clock)
        if not _is_open(availability, overridden, wall) or _is_off(availability, moment, wall):
            return False
        moment += _MINUTE
    return True


def _is_open(availability: Row, overridden: dict[date, Sequence[str]], wall: datetime) -> bool:
    day, minute = wall.date(), wall.hour * 60 + wall.minute

    def opening(on: date) -> Sequence[str]:
        found: Sequence[str] = overridden.get(on, availability["weekly"].get(_DAYS[on.weekday()], ()))
        return found

    if _within(opening(day), minute):
        return True
    return day not in overridden and _within(opening(day - _DAY), minute + 24 * 60)


def _within(windows: Sequence[str], minute: int) -> bool:
    for window in windows:
        opens, closes = (int(end[:2]) * 60 + int(end[3:]) for end in window.split("-"))
        if opens <= minute < (closes if closes >= opens else closes + 24 * 60):
            return True
    return False


def _is_off(availability: Row, moment: datetime, wall: datetime) -> bool:
    for off in availability["time_off"]:
        if off["first"] is not None:
            if date.fromisoformat(off["first"]) <= wall.date() <= date.fromisoformat(off["last"]):
                return True
        elif datetime.fromisoformat(off["starts_at"]) < moment + _MINUTE and moment < datetime.fromisoformat(
            off["ends_at"]
        ):
            return True
    return False
