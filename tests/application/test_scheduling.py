"""Providers set their hours; customers see what is free; each on the memory store."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.busy import StoredBusyTimes
from adapters.persistence.readers import StoredReaders
from adapters.persistence.unit_of_work import StoredBegin
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.wake import Wake
from application.scheduling import (
    Absence,
    BadDates,
    CancelTimeOff,
    ClearDay,
    DayHours,
    FreeSlots,
    GetAvailability,
    Hours,
    ListFreeSlots,
    OverrideDay,
    SetAvailability,
    SlotSearch,
    TakeTimeOff,
)
from domain.bookings import Booking
from domain.bookings.booking import Claim
from domain.identity import User
from domain.jobs import Job, Offer
from domain.organizations import Organization
from domain.scheduling import Availability, BadTimeOff, NoSuchOverride, NotAProvider, NotYourHours, Override, Weekly
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Invalid, NotFound, Outdated, Unauthenticated
from domain.shared.ids import BookingId, JobId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance
from domain.shared.time import Span

NOW = datetime(2026, 10, 19, 8, tzinfo=UTC)
CUSTOMER = Actor(user_id=UserId(UUID(int=1)), role=Role.CUSTOMER)
PROVIDER_ID = UserId(UUID(int=2))
PROVIDER = Actor(user_id=PROVIDER_ID, role=Role.PROVIDER)
OTHER = Actor(user_id=UserId(UUID(int=3)), role=Role.PROVIDER)
ADMIN = Actor(user_id=UserId(UUID(int=4)), role=Role.ADMIN)
ORGANIZATION = OrganizationId(UUID(int=5))
MORNING = ("09:00-11:00",)
MORNINGS = Hours(zone="Europe/Berlin", monday=MORNING, tuesday=MORNING, wednesday=MORNING)
TUESDAY = date(2026, 10, 20)


class Quiet(Wake):
    """Nobody to wake."""

    def poke(self) -> None: ...


@dataclass
class House:
    """The use cases on one memory store, and a clock to move."""

    store: MemoryStore
    clock: StandingClock

    def __post_init__(self) -> None:
        ids, views = SeededIds(self.clock, seed=1), MemoryViews(self.store)
        readers = StoredReaders(views)
        self.begin = StoredBegin(store=self.store, clock=self.clock, ids=ids, wake=Quiet())
        self.set = SetAvailability(begin=self.begin, clock=self.clock)
        self.get = GetAvailability(readers=readers)
        self.override = OverrideDay(begin=self.begin, clock=self.clock)
        self.clear = ClearDay(begin=self.begin, clock=self.clock)
        self.leave = TakeTimeOff(begin=self.begin, clock=self.clock, ids=ids)
        self.stay = CancelTimeOff(begin=self.begin, clock=self.clock)
        self.free = ListFreeSlots(readers=readers, clock=self.clock, busy_times=StoredBusyTimes(views))

    async def job(self, number: int = 1, *, published: bool = True, **offer: object) -> JobId:
        """A job of the provider's, an hour long unless told otherwise."""
        told = {"title": "Piano lesson", "category": "music", "remote": True, "duration": 60, "slot_interval": 60}
        job = Job.draft(
            id=JobId(UUID(int=100 + number)),
            organization_id=ORGANIZATION,
            provider_id=PROVIDER_ID,
            offer=Offer(price=Money(5000, "EUR"), **{**told, **offer}),  # type: ignore[arg-type]
            now=NOW,
        )
        if published:
            job.publish(now=NOW)
        async with self.begin(PROVIDER) as work:
            work.jobs.add(job)
        return job.id

    async def booked(self, job_id: JobId, start: datetime, *, seats: int = 1) -> None:
        """Somebody holds this start for a quarter of an hour."""
        async with self.begin(CUSTOMER) as work:
            job = await work.jobs.get(job_id)
            claim = Claim(
                job_id=job.id,
                job_title=job.title,
                organization_id=job.organization_id,
                provider_id=job.provider_id,
                customer_id=CUSTOMER.signed_in(),
                span=Span(start, start + timedelta(minutes=job.duration)),
                zone="Europe/Berlin",
                buffer_before=job.buffer_before,
                buffer_after=job.buffer_after,
                seats=seats,
                capacity=job.capacity,
                price=job.price.times(seats),
                policy=job.policy,
                terms=job.terms,
                acceptance=Acceptance.INSTANT,
            )
            number = len(self.store.tables["bookings"].rows)
            booking = Booking.make(
                id=BookingId(UUID(int=200 + number)),
                reference=f"REF{number}",
                claim=claim,
                payment_id=PaymentId(UUID(int=300 + number)),
                hold=timedelta(minutes=15),
                now=self.clock.now(),
            )
            work.bookings.add(booking)


@pytest.fixture
async def house() -> House:
    house = House(MemoryStore(), StandingClock(NOW))
    async with house.begin(SYSTEM) as work:
        for actor in (CUSTOMER, PROVIDER, OTHER, ADMIN):
            user_id = actor.signed_in()
            work.users.add(User.create(id=user_id, email=f"u{user_id.int}@example.com", role=actor.role, now=NOW))
        work.organizations.add(Organization.found(id=ORGANIZATION, name="Keys", owner_id=PROVIDER_ID, now=NOW))
    return house


def starts(found: FreeSlots) -> list[str]:
    return [f"{slot.starts_at:%m-%d %H:%M}" for slot in found.slots]


# -- hours -----------------------------------------------------------------------------------------------------------


async def test_a_provider_sets_hours_and_everybody_reads_them(house: House) -> None:
    made = await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    assert (made.id, made.version, made.zone) == (PROVIDER_ID, 1, "Europe/Berlin")
    read = await house.get(ANONYMOUS, PROVIDER_ID)
    assert read.weekly == MORNINGS.weekly
    assert read.weekly.monday == ("09:00-11:00",)
    assert (read.version, read.created_at, read.overrides, read.time_off) == (1, NOW, (), ())


async def test_setting_hours_again_replaces_the_week_and_keeps_the_exceptions(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    await house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours(windows=("13:00-14:00",)))
    house.clock.advance(timedelta(hours=1))
    again = await house.set(PROVIDER, PROVIDER_ID, Hours(zone="UTC", friday=("22:00-02:00",)))
    assert again.weekly == Weekly(friday=("22:00-02:00",))
    assert (again.zone, again.version) == ("UTC", 3)
    assert again.overrides == (Override(TUESDAY, ("13:00-14:00",)),)
    assert (again.created_at, again.updated_at) == (NOW, NOW + timedelta(hours=1))


async def test_the_same_hours_again_are_no_change(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    assert (await house.set(PROVIDER, PROVIDER_ID, MORNINGS)).version == 1


async def test_each_change_is_told_and_audited(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    await house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours())
    rows = [row for row in house.store.tables["outbox"].rows.values() if row["name"] == "availability.changed"]
    assert sorted(row["payload"]["change"] for row in rows) == ["opened", "override"]
    audited = [row for row in house.store.tables["audit"].rows.values() if row["subject_id"] == PROVIDER_ID]
    assert [row["actor"] for row in audited if row["action"] == "availability.changed"] == [PROVIDER.principal] * 2


async def test_a_day_gets_hours_of_its_own_and_gives_them_back(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    closed = await house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours())
    assert closed.overrides == (Override(TUESDAY),)
    assert (await house.get(CUSTOMER, PROVIDER_ID)).overrides == (Override(TUESDAY),)
    assert (await house.clear(PROVIDER, PROVIDER_ID, TUESDAY)).overrides == ()
    with pytest.raises(NoSuchOverride):
        await house.clear(PROVIDER, PROVIDER_ID, TUESDAY)


async def test_time_off_is_dates_or_moments_and_can_be_taken_back(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    await house.leave(PROVIDER, PROVIDER_ID, Absence(first=TUESDAY))
    noon = datetime(2026, 10, 21, 12, tzinfo=UTC)
    both = await house.leave(PROVIDER, PROVIDER_ID, Absence(starts_at=noon, ends_at=noon + timedelta(hours=1)))
    a_day, an_hour = (await house.get(ANONYMOUS, PROVIDER_ID)).time_off
    assert (a_day.first, a_day.last, a_day.starts_at) == (TUESDAY, TUESDAY, None)
    assert (an_hour.first, an_hour.starts_at) == (None, noon)
    assert both.time_off == (a_day, an_hour)
    assert (await house.stay(PROVIDER, PROVIDER_ID, a_day.id)).time_off == (an_hour,)
    with pytest.raises(NotFound):
        await house.stay(PROVIDER, PROVIDER_ID, a_day.id)


@pytest.mark.parametrize(
    "absence", [Absence(), Absence(last=TUESDAY), Absence(first=TUESDAY, starts_at=NOW, ends_at=NOW)]
)
async def test_half_an_absence_is_refused(house: House, absence: Absence) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    with pytest.raises(BadTimeOff):
        await house.leave(PROVIDER, PROVIDER_ID, absence)


async def test_only_the_provider_and_the_house_set_hours(house: House) -> None:
    for stranger, refusal in ((ANONYMOUS, Unauthenticated), (OTHER, NotYourHours)):
        with pytest.raises(refusal):
            await house.set(stranger, PROVIDER_ID, MORNINGS)
    with pytest.raises(NotAProvider):
        await house.set(CUSTOMER, CUSTOMER.signed_in(), MORNINGS)
    await house.set(ADMIN, PROVIDER_ID, MORNINGS)
    await house.set(Actor(kind=Kind.OPERATOR), PROVIDER_ID, Hours(zone="UTC"))
    for attempt in (
        house.override(OTHER, PROVIDER_ID, TUESDAY, DayHours()),
        house.leave(OTHER, PROVIDER_ID, Absence(first=TUESDAY)),
    ):
        with pytest.raises(NotYourHours):
            await attempt


async def test_nobody_who_is_not_there_has_hours(house: House) -> None:
    nobody = UserId(UUID(int=99))
    for attempt in (
        house.set(ADMIN, nobody, MORNINGS),
        house.get(ANONYMOUS, PROVIDER_ID),
        house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours()),
        house.clear(PROVIDER, PROVIDER_ID, TUESDAY),
        house.leave(PROVIDER, PROVIDER_ID, Absence(first=TUESDAY)),
        house.stay(PROVIDER, PROVIDER_ID, nobody),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert not house.store.tables["availabilities"].rows


async def test_a_decision_on_hours_that_have_changed_is_refused(house: House) -> None:
    with pytest.raises(Outdated):
        await house.set(PROVIDER, PROVIDER_ID, Hours(zone="UTC", expected_version=1))
    await house.set(PROVIDER, PROVIDER_ID, Hours(zone="UTC", expected_version=0))
    for attempt in (
        house.set(PROVIDER, PROVIDER_ID, Hours(zone="UTC", expected_version=0)),
        house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours(expected_version=2)),
        house.clear(PROVIDER, PROVIDER_ID, TUESDAY, expected_version=2),
        house.leave(PROVIDER, PROVIDER_ID, Absence(first=TUESDAY, expected_version=2)),
        house.stay(PROVIDER, PROVIDER_ID, UUID(int=9), expected_version=2),
    ):
        with pytest.raises(Outdated) as refused:
            await attempt
        assert refused.value.details["present"] == 1


# -- free slots ------------------------------------------------------------------------------------------------------


async def test_free_slots_lie_in_the_hours_after_the_notice(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job(notice=60)
    found = await house.free(ANONYMOUS, job_id, SlotSearch(last=date(2026, 10, 26)))
    assert (found.first, found.last, found.zone, found.provider_id) == (
        date(2026, 10, 19),
        date(2026, 10, 26),
        "Europe/Berlin",
        PROVIDER_ID,
    )
    assert starts(found) == ["10-20 07:00", "10-20 08:00", "10-21 07:00", "10-21 08:00", "10-26 08:00", "10-26 09:00"]


async def test_the_askers_zone_changes_how_starts_are_shown_and_never_which(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, Hours(zone="Europe/Berlin", sunday=("02:00-03:00",)))
    job_id = await house.job()
    sunday = SlotSearch(first=date(2026, 10, 25), last=date(2026, 10, 25))
    at_home = await house.free(ANONYMOUS, job_id, sunday)
    assert [slot.shown_start for slot in at_home.slots] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    away = await house.free(ANONYMOUS, job_id, replace(sunday, zone="Asia/Tokyo"))
    assert [slot.starts_at for slot in away.slots] == [slot.starts_at for slot in at_home.slots]
    assert away.slots[0].shown_end == "2026-10-25T10:00:00+09:00"
    assert (away.zone, away.shown_in) == ("Europe/Berlin", "Asia/Tokyo")


async def test_a_booking_takes_its_start_until_its_hold_has_expired(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job(buffer_after=15)
    tuesday = SlotSearch(first=TUESDAY, last=TUESDAY)
    await house.booked(job_id, datetime(2026, 10, 20, 7, tzinfo=UTC))
    assert starts(await house.free(CUSTOMER, job_id, tuesday)) == []
    house.clock.advance(timedelta(minutes=15))
    assert starts(await house.free(CUSTOMER, job_id, tuesday)) == ["10-20 07:00", "10-20 08:00"]


async def test_another_job_of_the_provider_takes_the_same_time(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    await house.booked(await house.job(1), datetime(2026, 10, 20, 7, tzinfo=UTC))
    other = await house.job(2, slot_interval=30)
    assert starts(await house.free(CUSTOMER, other, SlotSearch(first=TUESDAY, last=TUESDAY))) == ["10-20 08:00"]


async def test_a_shared_session_shows_the_seats_that_are_left(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job(capacity=4)
    await house.booked(job_id, datetime(2026, 10, 20, 7, tzinfo=UTC), seats=3)
    found = await house.free(CUSTOMER, job_id, SlotSearch(first=TUESDAY, last=TUESDAY))
    assert [slot.seats_left for slot in found.slots] == [1, 4]
    for_two = await house.free(CUSTOMER, job_id, SlotSearch(first=TUESDAY, last=TUESDAY, seats=2))
    assert starts(for_two) == ["10-20 08:00"]


async def test_exceptions_show_in_the_slots_at_once(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job()
    tuesday = SlotSearch(first=TUESDAY, last=TUESDAY)
    await house.override(PROVIDER, PROVIDER_ID, TUESDAY, DayHours(windows=("15:00-16:00",)))
    assert starts(await house.free(CUSTOMER, job_id, tuesday)) == ["10-20 13:00"]
    await house.leave(PROVIDER, PROVIDER_ID, Absence(first=TUESDAY))
    assert starts(await house.free(CUSTOMER, job_id, tuesday)) == []


async def test_a_provider_without_hours_has_no_free_slots(house: House) -> None:
    found = await house.free(ANONYMOUS, await house.job(), SlotSearch(zone="Asia/Tokyo"))
    assert (found.slots, found.zone, found.first) == ([], "Asia/Tokyo", date(2026, 10, 19))


async def test_a_draft_has_no_slots_and_strangers_do_not_see_it(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    draft = await house.job(published=False)
    with pytest.raises(NotFound):
        await house.free(ANONYMOUS, draft, SlotSearch())
    assert (await house.free(Actor(kind=Kind.OPERATOR), draft, SlotSearch())).slots == []


async def test_beyond_the_window_nothing_is_offered(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job(window_days=7)
    month = SlotSearch(first=date(2026, 10, 19), last=date(2026, 11, 19))
    assert starts(await house.free(ANONYMOUS, job_id, month))[-1] == "10-26 09:00"
    assert (await house.free(ANONYMOUS, job_id, SlotSearch(first=date(9999, 12, 1)))).slots == []
    assert (await house.free(ANONYMOUS, job_id, SlotSearch(first=date(1, 1, 1), last=date(1, 1, 2)))).slots == []


async def test_a_request_spans_at_most_62_dates_in_order(house: House) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job()
    await house.free(ANONYMOUS, job_id, SlotSearch(first=TUESDAY, last=TUESDAY + timedelta(days=61)))
    for last in (TUESDAY + timedelta(days=62), TUESDAY - timedelta(days=1)):
        with pytest.raises(BadDates):
            await house.free(ANONYMOUS, job_id, SlotSearch(first=TUESDAY, last=last))


@pytest.mark.parametrize("search", [SlotSearch(zone="Mars/Olympus"), SlotSearch(seats=0)])
async def test_nonsense_is_refused(house: House, search: SlotSearch) -> None:
    await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    job_id = await house.job()
    with pytest.raises(Invalid):
        await house.free(ANONYMOUS, job_id, search)


async def test_the_answer_is_the_aggregate_as_it_is_stored(house: House) -> None:
    made = await house.set(PROVIDER, PROVIDER_ID, MORNINGS)
    async with house.begin(SYSTEM) as work:
        stored = await work.availabilities.get(PROVIDER_ID)
    for name in Availability.__dataclass_fields__:
        assert getattr(made, name) == getattr(stored, name)
