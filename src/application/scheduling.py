"""Providers keep their hours, customers see the free slots in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from application.inputs import submitted
from application.ports.clock import Clock
from application.ports.criteria import Order
from application.ports.ids import Ids
from application.ports.readers import Readers
from application.ports.scheduling import BusyTimes
from application.ports.unit_of_work import Begin
from domain.jobs import JobState
from domain.scheduling import (
    Availability,
    BadTimeOff,
    BadWindow,
    DayIsOver,
    NoSuchOverride,
    NoSuchTimeOff,
    NotAProvider,
    NotYourHours,
    OfferedSlot,
    Override,
    SlotRules,
    TimeOff,
    TooManyExceptions,
    TooManyWindows,
    Weekly,
    bookable_dates,
    reach,
    slots,
    told,
)
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import JobId, UserId
from domain.shared.time import zone as zone_of

MOST_DATES = 62
"""Local dates one request for free slots may span: two months."""
USUAL_DATES = 28

_EDITING: tuple[type[Refusal], ...] = (Unauthenticated, NotYourHours, NotAProvider, Outdated)


class BadDates(Invalid):
    """A run of dates that ends before it begins, or is longer than one request may span."""

    code = "scheduling.bad_dates"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityView:
    """A provider's hours, as everybody may read them."""

    source: ClassVar[str] = "availabilities"
    id: UserId
    version: int
    zone: str
    weekly: Weekly
    overrides: tuple[Override, ...]
    time_off: tuple[TimeOff, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookableJob:
    """What of a job decides its slots."""

    source: ClassVar[str] = "jobs"
    id: JobId
    provider_id: UserId
    state: JobState
    duration: int
    buffer_before: int
    buffer_after: int
    slot_interval: int
    notice: int
    window_days: int
    capacity: int

    @property
    def rules(self) -> SlotRules:
        """The same in the slot engine's words."""
        return SlotRules(
            duration=self.duration,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            interval=self.slot_interval,
            notice=self.notice,
            window_days=self.window_days,
            capacity=self.capacity,
            job_id=self.id,
        )


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A start that can be booked now. `shown_start` and `shown_end` are the same two moments on the asker's clocks,
    offset included, so that the two 01:30 of an autumn night differ."""

    starts_at: datetime
    ends_at: datetime
    shown_start: str
    shown_end: str
    seats_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSlots:
    """The free slots of a job from `first` to `last`, dates on the provider's calendar in `zone`."""

    job_id: JobId
    provider_id: UserId
    zone: str
    shown_in: str
    first: date
    last: date
    slots: list[FreeSlot]


@submitted
class Hours:
    """The hours of an ordinary week, each window `HH:MM-HH:MM`; a close before the open runs past midnight."""

    zone: str
    """IANA time zone whose clocks these hours are read on, such as "Europe/Lisbon"."""
    monday: tuple[str, ...] = ()
    """Windows that open on a Monday, such as "09:00-12:30"; none: closed."""
    tuesday: tuple[str, ...] = ()
    """Windows that open on a Tuesday."""
    wednesday: tuple[str, ...] = ()
    """Windows that open on a Wednesday."""
    thursday: tuple[str, ...] = ()
    """Windows that open on a Thursday."""
    friday: tuple[str, ...] = ()
    """Windows that open on a Friday."""
    saturday: tuple[str, ...] = ()
    """Windows that open on a Saturday."""
    sunday: tuple[str, ...] = ()
    """Windows that open on a Sunday."""
    expected_version: int | None = None
    """The version these hours replace; 0 when there were none yet. Left out: whatever is there."""

    @property
    def weekly(self) -> Weekly:
        """The same hours as the domain keeps them."""
        return Weekly(
            monday=self.monday,
            tuesday=self.tuesday,
            wednesday=self.wednesday,
            thursday=self.thursday,
            friday=self.friday,
            saturday=self.saturday,
            sunday=self.sunday,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAvailability:
    """Set the hours a provider works in an ordinary week, in place of those before. Dates with hours of their own and
    time off stay, and so do bookings already made."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_EDITING, NotFound, BadWindow, TooManyWindows)

    async def __call__(self, actor: Actor, provider_id: UserId, hours: Hours) -> Availability:
        now = self.clock.now()
        async with self.begin(actor) as work:
            availability = await work.availabilities.first(id=provider_id)
            if availability is None:
                availability = Availability.open(
                    id=provider_id, by=actor, zone=hours.zone, weekly=hours.weekly, now=now
                )
                await work.users.get(provider_id)
                work.availabilities.add(availability)
            availability.must_be(hours.expected_version)
            availability.move_to_zone(hours.zone, by=actor, now=now)
            availability.set_weekly(hours.weekly, by=actor, now=now)
            return work.answer(availability)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAvailability:
    """Show the hours a provider works: the week, the dates that differ, and time off."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, provider_id: UserId) -> AvailabilityView:
        return await self.readers.one(actor, AvailabilityView, provider_id)


@submitted
class DayHours:
    """The hours of one date, in place of all its ordinary ones."""

    windows: tuple[str, ...] = ()
    """Windows such as "10:00-14:00"; none: closed that day."""
    expected_version: int | None = None
    """The availability's version this was decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDay:
    """Give one local date hours of its own, or close it: they replace all its weekly hours and what would spill in from
    the evening before."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        *_EDITING,
        NotFound,
        BadWindow,
        TooManyWindows,
        DayIsOver,
        TooManyExceptions,
    )

    async def __call__(self, actor: Actor, provider_id: UserId, day: date, hours: DayHours) -> Availability:
        async with self.begin(actor) as work:
            availability = await work.availabilities.get(provider_id)
            availability.must_be(hours.expected_version)
            availability.override(day, hours.windows, by=actor, now=self.clock.now())
            return work.answer(availability)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearDay:
    """Give a date its ordinary weekly hours back."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_EDITING, NotFound, NoSuchOverride)

    async def __call__(
        self, actor: Actor, provider_id: UserId, day: date, expected_version: int | None = None
    ) -> Availability:
        async with self.begin(actor) as work:
            availability = await work.availabilities.get(provider_id)
            availability.must_be(expected_version)
            availability.clear_override(day, by=actor, now=self.clock.now())
            return work.answer(availability)


@submitted
class Absence:
    """Time off, as local dates or as two moments; never both. Everybody may read it, so it holds no reason."""

    first: date | None = None
    """First local date off."""
    last: date | None = None
    """Last local date off, included; left out: only the first."""
    starts_at: datetime | None = None
    """The moment it begins, with its offset."""
    ends_at: datetime | None = None
    """The moment work goes on, with its offset."""
    expected_version: int | None = None
    """The availability's version this was decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeTimeOff:
    """Close a run of dates or a stretch of time, whatever the hours say. Bookings already made in it stand."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_EDITING, NotFound, BadTimeOff, DayIsOver, TooManyExceptions)

    async def __call__(self, actor: Actor, provider_id: UserId, absence: Absence) -> Availability:
        time_off = TimeOff(
            id=self.ids.new(),
            first=absence.first,
            last=absence.first if absence.last is None else absence.last,
            starts_at=absence.starts_at,
            ends_at=absence.ends_at,
        )
        async with self.begin(actor) as work:
            availability = await work.availabilities.get(provider_id)
            availability.must_be(absence.expected_version)
            availability.take_time_off(time_off, by=actor, now=self.clock.now())
            return work.answer(availability)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimeOff:
    """Take time off back: the hours are open again."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (*_EDITING, NotFound, NoSuchTimeOff)

    async def __call__(
        self, actor: Actor, provider_id: UserId, time_off_id: UUID, expected_version: int | None = None
    ) -> Availability:
        async with self.begin(actor) as work:
            availability = await work.availabilities.get(provider_id)
            availability.must_be(expected_version)
            availability.cancel_time_off(time_off_id, by=actor, now=self.clock.now())
            return work.answer(availability)


@submitted
class SlotSearch:
    """Which free slots to list."""

    first: date | None = None
    """First date, on the provider's calendar; left out: today there."""
    last: date | None = None
    """Last date, included, at most 62 dates in all; left out: four weeks."""
    seats: int = 1
    """How many seats the booking shall have."""
    zone: str | None = None
    """IANA time zone to show the starts in; left out: the provider's. It changes how they are shown, never which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFreeSlots:
    """List the starts of a job that can be booked now. What is listed can be booked, unless somebody is faster."""

    readers: Readers
    clock: Clock
    busy_times: BusyTimes
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, BadDates)

    async def __call__(self, actor: Actor, job_id: JobId, search: SlotSearch) -> FreeSlots:
        now = self.clock.now()
        job = await self.readers.one(actor, BookableJob, job_id)
        found = await self.readers.page(actor, AvailabilityView, {"id": job.provider_id}, order=Order(), limit=1)
        hours = found.items[0] if found.items else None
        shown_in = zone_of(search.zone or (hours.zone if hours else "UTC")).key
        first, last = _dates(search, now.astimezone(zone_of(hours.zone if hours else shown_in)).date())
        offered: list[OfferedSlot] = []
        if hours is not None and job.state is JobState.PUBLISHED:
            offered = await self._offered(job, hours, search.seats, now=now, first=first, last=last)
        return FreeSlots(
            job_id=job.id,
            provider_id=job.provider_id,
            zone=hours.zone if hours else shown_in,
            shown_in=shown_in,
            first=first,
            last=last,
            slots=list(_shown(offered, shown_in)),
        )

    async def _offered(
        self, job: BookableJob, hours: AvailabilityView, seats: int, *, now: datetime, first: date, last: date
    ) -> list[OfferedSlot]:
        dates = bookable_dates(hours, job.rules, now=now, first=first, last=last)
        if dates is None:
            return []
        busy = await self.busy_times.busy(job.provider_id, reach(job.rules, *dates), now)
        return slots(hours, job.rules, busy, now=now, first=first, last=last, seats=seats)


def _dates(search: SlotSearch, today: date) -> tuple[date, date]:
    first = search.first or today
    usual = date.fromordinal(min(first.toordinal() + USUAL_DATES - 1, date.max.toordinal()))
    last = search.last or usual
    if last < first:
        raise BadDates("the last date is not before the first", field="last")
    if (last - first).days >= MOST_DATES:
        raise BadDates(f"one request spans at most {MOST_DATES} dates", field="last", most=MOST_DATES)
    return first, last


def _shown(offered: list[OfferedSlot], zone: str) -> Iterator[FreeSlot]:
    begins = told((slot.starts_at for slot in offered), zone)
    ends = told((slot.ends_at for slot in offered), zone)
    for slot, shown_start, shown_end in zip(offered, begins, ends, strict=True):
        yield FreeSlot(slot.starts_at, slot.ends_at, shown_start, shown_end, slot.seats_left)
