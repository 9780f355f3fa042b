"""A provider's availability: one per provider, under the provider's own id."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.scheduling.hours import Override, TimeOff, Weekly, Windows
from domain.shared.actors import Actor, Role
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict, Forbidden, Invalid, NotFound
from domain.shared.ids import UserId
from domain.shared.time import zone as zone_of

MOST_OVERRIDES = 400
MOST_TIMES_OFF = 200
KEPT_FOR = timedelta(days=31)
"""Exceptions stay readable for a month after their day; then they are forgotten, as nothing can be booked there."""


class NotYourHours(Forbidden):
    """Hours are everybody's to read, and their provider's alone to change."""

    code = "availability.not_yours"


class NotAProvider(Forbidden):
    """Only providers keep hours."""

    code = "availability.not_a_provider"


class DayIsOver(Invalid):
    """A day that has passed cannot be given other hours, nor taken off."""

    code = "availability.day_is_over"

    def __init__(self, day: date, today: date, field: str) -> None:
        super().__init__(f"{day} is over", field=field, day=day.isoformat(), today=today.isoformat())


class TooManyExceptions(Conflict):
    """The provider keeps as many exceptions to the weekly hours as are allowed."""

    code = "availability.too_many_exceptions"

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"there are at most {most} {what}", most=most)


class NoSuchOverride(NotFound):
    """That date has its ordinary hours."""

    code = "availability.no_such_override"


class NoSuchTimeOff(NotFound):
    """There is no such time off."""

    code = "availability.no_such_time_off"


class Change(StrEnum):
    """What about the hours was changed."""

    OPENED = "opened"
    WEEKLY = "weekly"
    ZONE = "zone"
    OVERRIDE = "override"
    TIME_OFF = "time_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityChanged(Event):
    """The provider works at other hours than before; bookings already made stand."""

    name: ClassVar[str] = "availability.changed"
    provider_id: UserId
    change: Change


@dataclass(eq=False, slots=True, kw_only=True)
class Availability(Aggregate):
    """When a provider works: weekly hours as the clocks of `zone` show them, dates that differ, and time off."""

    id: UserId
    zone: str
    weekly: Weekly
    overrides: tuple[Override, ...] = ()
    time_off: tuple[TimeOff, ...] = ()
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        zone_of(self.zone)
        self._judge_sizes(self.overrides, self.time_off)

    @classmethod
    def open(cls, *, id: UserId, by: Actor, zone: str, weekly: Weekly, now: datetime) -> "Availability":
        """The provider's first hours; `id` is the provider's user id."""
        _allow(by, id)
        availability = cls(id=id, zone=zone, weekly=weekly, created_at=now, updated_at=now)
        availability._record(AvailabilityChanged(provider_id=id, change=Change.OPENED))
        return availability

    def set_weekly(self, weekly: Weekly, *, by: Actor, now: datetime) -> None:
        """Work these hours in an ordinary week from now on; overrides and time off stay."""
        _allow(by, self.id)
        if weekly != self.weekly:
            self.weekly = weekly
            self._changed(Change.WEEKLY, now)

    def move_to_zone(self, zone: str, *, by: Actor, now: datetime) -> None:
        """Read every wall time and date of these hours on that zone's clocks from now on."""
        _allow(by, self.id)
        zone_of(zone)
        if zone != self.zone:
            self.zone = zone
            self._changed(Change.ZONE, now)

    def override(self, day: date, windows: Windows, *, by: Actor, now: datetime) -> None:
        """Give one local date hours of its own, none to close it; said again, the last word counts."""
        _allow(by, self.id)
        self._must_not_be_over(day, field="day", now=now)
        changed = Override(day, windows)
        if changed in self.overrides:
            return
        others = [override for override in self._overrides_kept(now) if override.day != day]
        self._replace(overrides=tuple(sorted((*others, changed), key=lambda override: override.day)))
        self._changed(Change.OVERRIDE, now)

    def clear_override(self, day: date, *, by: Actor, now: datetime) -> None:
        """Give the date its ordinary hours back."""
        _allow(by, self.id)
        others = tuple(override for override in self.overrides if override.day != day)
        if len(others) == len(self.overrides):
            raise NoSuchOverride(f"{day} has its ordinary hours", day=day.isoformat())
        self.overrides = others
        self._changed(Change.OVERRIDE, now)

    def take_time_off(self, time_off: TimeOff, *, by: Actor, now: datetime) -> None:
        """Close this time whatever the hours say; bookings already made in it stand."""
        _allow(by, self.id)
        field = "ends_at" if time_off.last is None else "last"
        self._must_not_be_over(time_off.last_day(self.zone), field=field, now=now)
        self._replace(time_off=(*self._time_off_kept(now), time_off))
        self._changed(Change.TIME_OFF, now)

    def cancel_time_off(self, id: UUID, *, by: Actor, now: datetime) -> None:
        """Work after all."""
        _allow(by, self.id)
        others = tuple(off for off in self.time_off if off.id != id)
        if len(others) == len(self.time_off):
            raise NoSuchTimeOff("there is no such time off", id=str(id))
        self.time_off = others
        self._changed(Change.TIME_OFF, now)

    def today(self, now: datetime) -> date:
        """The date the provider's calendar shows."""
        return now.astimezone(zone_of(self.zone)).date()

    def _changed(self, change: Change, now: datetime) -> None:
        self.updated_at = now
        self._record(AvailabilityChanged(provider_id=self.id, change=change))

    def _replace(
        self, *, overrides: tuple[Override, ...] | None = None, time_off: tuple[TimeOff, ...] | None = None
    ) -> None:
        overrides = self.overrides if overrides is None else overrides
        time_off = self.time_off if time_off is None else time_off
        self._judge_sizes(overrides, time_off)
        self.overrides, self.time_off = overrides, time_off

    def _judge_sizes(self, overrides: tuple[Override, ...], time_off: tuple[TimeOff, ...]) -> None:
        if len(overrides) > MOST_OVERRIDES:
            raise TooManyExceptions("dates with hours of their own", MOST_OVERRIDES)
        if len(time_off) > MOST_TIMES_OFF:
            raise TooManyExceptions("times off", MOST_TIMES_OFF)

    def _must_not_be_over(self, day: date, *, field: str, now: datetime) -> None:
        """Yesterday still counts: its evening may run into today."""
        today = self.today(now)
        if day < today - timedelta(days=1):
            raise DayIsOver(day, today, field)

    def _overrides_kept(self, now: datetime) -> list[Override]:
        oldest = self.today(now) - KEPT_FOR
        return [override for override in self.overrides if override.day >= oldest]

    def _time_off_kept(self, now: datetime) -> list[TimeOff]:
        oldest = self.today(now) - KEPT_FOR
        return [off for off in self.time_off if off.last_day(self.zone) >= oldest]


def _allow(by: Actor, provider_id: UserId) -> None:
    """Refuse everybody but the provider, admins and the house."""
    if by.is_admin or by.is_system:
        return
    if by.signed_in() != provider_id:
        raise NotYourHours("only the provider sets these hours")
    if by.role is not Role.PROVIDER:
        raise NotAProvider("only a provider keeps hours")
