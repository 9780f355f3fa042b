"""The slot engine: which starts a customer is offered. What lists the slots also judges a booking, so they agree.

Everything is counted in real minutes since 1970, where a DST change is nothing special; wall time appears once, when
windows are laid over the zone's offsets.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.scheduling.hours import Override, TimeOff, Weekly, opening_minutes
from domain.scheduling.stretches import Stretch, joined, shared, without
from domain.scheduling.walltime import DAY, EPOCH, EPOCH_ORDINAL, MINUTE, Regime, around, minute, next_minute, showing
from domain.shared.errors import Invalid
from domain.shared.ids import JobId
from domain.shared.terms import occupancy_of
from domain.shared.time import EARLIEST, LATEST, Span, instant, zone

BOUNDS: dict[str, tuple[int, int]] = {
    "duration": (1, 366 * DAY),
    "buffer_before": (0, 366 * DAY),
    "buffer_after": (0, 366 * DAY),
    "interval": (1, 366 * DAY),
    "notice": (0, 366 * DAY),
    "window_days": (0, 3660),
    "capacity": (1, 1_000_000),
}
"""Least and most of each number: wider than any job's own, and small enough to stay inside the calendar."""


class OpeningHours(Protocol):
    """What the engine reads of an availability, be it the aggregate or a view of it."""

    @property
    def zone(self) -> str: ...
    @property
    def weekly(self) -> Weekly: ...
    @property
    def overrides(self) -> tuple[Override, ...]: ...
    @property
    def time_off(self) -> tuple[TimeOff, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRules:
    """How a job is fitted into open hours. Real minutes, but for `window_days` (local dates ahead of today) and
    `capacity` (seats). Where it is above 1, `job_id` says whose shared sessions these are."""

    duration: int
    buffer_before: int = 0
    buffer_after: int = 0
    interval: int = 15
    notice: int = 0
    window_days: int = 60
    capacity: int = 1
    job_id: JobId | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise Invalid(f"{name} is {least} to {most}", field=name, least=least, most=most)
        if self.capacity > 1 and self.job_id is None:
            raise Invalid("a shared session belongs to a job", field="job_id")

    def blocked(self, starts_at: datetime) -> Span:
        """The time a start takes from the provider: the span itself and the buffers around it."""
        starts_at = instant(starts_at)
        before, after = timedelta(minutes=self.buffer_before), timedelta(minutes=self.duration + self.buffer_after)
        return Span(starts_at - before, starts_at + after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Time that is taken: a booking's span with its buffers, under whose occupancy, and how many seats of it."""

    blocked: Span
    occupancy: UUID
    starts_at: datetime
    seats: int = 1


class OfferedSlot(NamedTuple):
    """A start that can be booked, in UTC, and how many seats are left there."""

    starts_at: datetime
    ends_at: datetime
    seats_left: int = 1


def slots(
    availability: OpeningHours,
    rules: SlotRules,
    busy: Iterable[Busy],
    *,
    now: datetime,
    first: date,
    last: date,
    seats: int = 1,
) -> list[OfferedSlot]:
    """Every start offered on the local dates `first` to `last` for that many seats, in order. `busy` holds at least
    what overlaps `reach(rules, first, last)`."""
    length = timedelta(minutes=rules.duration)
    return [
        OfferedSlot(begins := EPOCH + start * MINUTE, begins + length, rules.capacity - taken)
        for start, taken in _offered(availability, rules, busy, now=now, first=first, last=last, seats=seats)
    ]


def _offered(
    availability: OpeningHours,
    rules: SlotRules,
    busy: Iterable[Busy],
    *,
    now: datetime,
    first: date,
    last: date,
    seats: int,
) -> list[tuple[int, int]]:
    """The minutes of the starts, in order, and how many seats are taken at each."""
    if seats < 1:
        raise Invalid("a booking takes at least one seat", field="seats", least=1)
    dates = bookable_dates(availability, rules, now=now, first=first, last=last)
    if dates is None or seats > rules.capacity:
        return []
    first_day, last_day = (day.toordinal() - EPOCH_ORDINAL for day in dates)
    end_day = last_day + rules.duration // DAY + 3
    clocks = around(availability.zone, first_day - 1, end_day)
    windows = [showing(*window, clocks) for window in _windows(availability, first_day - 1, end_day)]
    open_time = joined(part for window in windows for part in window)
    starts = _starts(open_time, availability, rules, clocks)
    starts = list(shared(starts, showing(first_day * DAY, (last_day + 1) * DAY, clocks)))
    taken, refused = _standing_against(busy, rules, seats)
    too_soon = (0, next_minute(now) + rules.notice)
    starts = without(starts, (too_soon, *refused))
    return [(start, taken.get(start, 0)) for start in _on_grid(windows, starts, rules.interval)]


def offers(
    availability: OpeningHours,
    rules: SlotRules,
    busy: Iterable[Busy],
    *,
    starts_at: datetime,
    now: datetime,
    seats: int = 1,
) -> bool:
    """Whether this very start is among the slots; `busy` holds at least what overlaps `rules.blocked(starts_at)`."""
    starts_at = instant(starts_at)
    day = starts_at.astimezone(zone(availability.zone)).date()
    offered = _offered(availability, rules, busy, now=now, first=day, last=day, seats=seats)
    wanted = minute(starts_at)
    return EPOCH + wanted * MINUTE == starts_at and any(start == wanted for start, _ in offered)


def bookable_dates(
    availability: OpeningHours, rules: SlotRules, *, now: datetime, first: date, last: date
) -> tuple[date, date] | None:
    """The part of these local dates that lies within the rolling window, today to today + `window_days`; None if
    there is none."""
    today = now.astimezone(zone(availability.zone)).date()
    first, last = max(first, today), min(last, today + timedelta(days=rules.window_days))
    return (first, last) if first <= last else None


def reach(rules: SlotRules, first: date, last: date) -> Span:
    """All the time in which a booking could stand against a start on these local dates, whatever the zone."""
    margin = timedelta(days=2)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC) - margin
    until = datetime(last.year, last.month, last.day, tzinfo=UTC) + margin
    before, after = timedelta(minutes=rules.buffer_before), timedelta(minutes=rules.duration + rules.buffer_after)
    return Span(max(since - before, EARLIEST), min(until + after, LATEST))


def _windows(hours: OpeningHours, first_day: int, last_day: int) -> Iterator[Stretch]:
    """The wall minutes of every window that opens on these days, as far as the next date's override lets it spill."""
    weekly = [opening_minutes(windows) for windows in hours.weekly.by_weekday()]
    overrides = {
        day: opening_minutes(override.windows)
        for override in hours.overrides
        if first_day <= (day := override.day.toordinal() - EPOCH_ORDINAL) <= last_day + 1
    }
    for day in range(first_day, last_day + 1):
        ends = DAY if day + 1 in overrides else 2 * DAY
        for opens, closes in overrides.get(day, weekly[(day + 3) % 7]):
            yield day * DAY + opens, day * DAY + min(closes, ends)


def _starts(open_time: list[Stretch], hours: OpeningHours, rules: SlotRules, clocks: list[Regime]) -> list[Stretch]:
    """The minutes from which the whole duration is open, time off taken away."""
    free = without(open_time, _closed(hours.time_off, clocks))
    return [(since, until - rules.duration + 1) for since, until in free if until - since >= rules.duration]


def _closed(times_off: Sequence[TimeOff], clocks: list[Regime]) -> Iterator[Stretch]:
    for off in times_off:
        if off.first is not None and off.last is not None:
            first_day, last_day = off.first.toordinal() - EPOCH_ORDINAL, off.last.toordinal() - EPOCH_ORDINAL
            yield from showing(first_day * DAY, (last_day + 1) * DAY, clocks)
        elif off.starts_at is not None and off.ends_at is not None:
            yield minute(off.starts_at), next_minute(off.ends_at)


def _standing_against(busy: Iterable[Busy], rules: SlotRules, seats: int) -> tuple[dict[int, int], list[Stretch]]:
    """The seats taken in this job's own sessions by their start; and the starts that would overlap something else, or
    have too few seats left."""
    taken: dict[int, int] = {}
    refused: list[Stretch] = []
    job_id = rules.job_id if rules.capacity > 1 else None
    for held in busy:
        since = minute(held.blocked.starts_at) - rules.duration - rules.buffer_after + 1
        until = next_minute(held.blocked.ends_at) + rules.buffer_before
        if job_id is not None and held.occupancy == occupancy_of(job_id, held.starts_at):
            start = minute(held.starts_at)
            taken[start] = taken.get(start, 0) + held.seats
            refused += [(since, min(start, until)), (max(start + 1, since), until)]
        else:
            refused.append((since, until))
    refused += [(start, start + 1) for start, sold in taken.items() if rules.capacity - sold < seats]
    return taken, refused


def _on_grid(windows: Iterable[list[Stretch]], starts: list[Stretch], interval: int) -> list[int]:
    """The starts that lie a whole number of intervals after the first real minute of a window they are in."""
    offered: set[int] = set()
    for window in windows:
        for since, until in shared(starts, window):
            offered.update(range(since + (window[0][0] - since) % interval, until, interval))
    return sorted(offered)
