"""Hours as providers keep them: what is sound, who may change them, and what is remembered."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.scheduling import (
    Availability,
    AvailabilityChanged,
    BadTimeOff,
    BadWindow,
    Change,
    DayIsOver,
    NoSuchOverride,
    NoSuchTimeOff,
    NotAProvider,
    NotYourHours,
    Override,
    TimeOff,
    TooManyExceptions,
    TooManyWindows,
    Weekly,
)
from domain.scheduling.hours import opening_minutes
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Invalid, Refusal, Unauthenticated
from domain.shared.ids import UserId

ME = UserId(UUID(int=1))
PROVIDER = Actor(user_id=ME, role=Role.PROVIDER)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OFFICE = Weekly.workdays("09:00-12:00", "13:00-17:00")


def hours(**changes: object) -> Availability:
    availability = Availability.open(id=ME, by=PROVIDER, zone="Europe/Lisbon", weekly=OFFICE, now=NOW)
    availability.take_events()
    for name, value in changes.items():
        setattr(availability, name, value)
    return availability


def off(number: int, first: date, last: date | None = None) -> TimeOff:
    return TimeOff(id=UUID(int=number), first=first, last=last or first)


@pytest.mark.parametrize(
    ("windows", "minutes"),
    [
        ((), ()),
        (("09:00-12:30",), ((540, 750),)),
        (("18:00-24:00",), ((1080, 1440),)),
        (("00:00-24:00",), ((0, 1440),)),
        (("22:00-02:00",), ((1320, 1560),)),
        (("22:00-00:00",), ((1320, 1440),)),
        (("10:00-10:00",), ()),
        (("00:00-00:00",), ()),
        (("13:00-15:00", "09:00-13:00"), ((540, 900),)),
        (("09:00-12:00", "11:00-14:00"), ((540, 840),)),
        (("20:00-24:00", "22:00-03:00"), ((1200, 1620),)),
        (("09:00-18:00", "10:00-11:00"), ((540, 1080),)),
    ],
)
def test_windows_mean_minutes_of_their_day(windows: tuple[str, ...], minutes: tuple[tuple[int, int], ...]) -> None:
    assert opening_minutes(windows) == minutes


@pytest.mark.parametrize(
    "window",
    ["", "9:00-12:00", "09:00", "09:00-25:00", "09:60-12:00", "24:00-01:00", "09:00-24:01", "09:00 - 12:00",
     "٠٩:00-12:00", "09:00-12:00\n", "09:00-12:00" * 1000],
)  # fmt: skip
def test_what_is_no_window_is_refused_by_its_day(window: str) -> None:
    with pytest.raises(BadWindow) as refused:
        Weekly(tuesday=(window,))
    assert refused.value.details["field"] == "tuesday"
    assert len(refused.value.message) < 100


def test_nobody_opens_and_closes_more_than_24_times_a_day() -> None:
    Override(date(2026, 3, 3), ("09:00-10:00",) * 24)
    with pytest.raises(TooManyWindows):
        Override(date(2026, 3, 3), ("09:00-10:00",) * 25)


def test_windows_are_kept_as_they_were_written() -> None:
    kept = Weekly(monday=["13:00-15:00", "09:00-13:00"])  # type: ignore[arg-type]
    assert kept.monday == ("13:00-15:00", "09:00-13:00")
    assert kept.by_weekday()[1:] == ((),) * 6
    assert Weekly.every_day("09:00-10:00").sunday == Weekly.workdays("09:00-10:00").friday == ("09:00-10:00",)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"first": date(2026, 3, 3)},
        {"last": date(2026, 3, 3)},
        {"first": date(2026, 3, 4), "last": date(2026, 3, 3)},
        {"starts_at": NOW},
        {"ends_at": NOW},
        {"first": date(2026, 3, 3), "last": date(2026, 3, 3), "starts_at": NOW, "ends_at": LATER},
    ],
)
def test_time_off_is_dates_or_moments_and_never_half_of_either(given: dict[str, object]) -> None:
    with pytest.raises(BadTimeOff):
        TimeOff(id=UUID(int=1), **given)  # type: ignore[arg-type]


def test_time_off_between_moments_is_kept_in_utc_and_ends_after_it_begins() -> None:
    there = NOW.astimezone(tz=None)
    assert TimeOff(id=UUID(int=1), starts_at=there, ends_at=there + timedelta(hours=1)).starts_at == NOW
    with pytest.raises(Invalid):
        TimeOff(id=UUID(int=1), starts_at=NOW, ends_at=NOW)
    with pytest.raises(Invalid):
        TimeOff(id=UUID(int=1), starts_at=datetime(2026, 3, 2), ends_at=NOW)


def test_opening_is_recorded() -> None:
    availability = Availability.open(id=ME, by=PROVIDER, zone="Europe/Lisbon", weekly=OFFICE, now=NOW)
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.OPENED)]
    assert (availability.created_at, availability.updated_at, availability.version) == (NOW, NOW, 0)


def test_hours_are_read_on_the_clocks_of_a_real_zone() -> None:
    with pytest.raises(Invalid):
        Availability.open(id=ME, by=PROVIDER, zone="Mars/Olympus", weekly=OFFICE, now=NOW)
    with pytest.raises(Invalid):
        hours().move_to_zone("", by=PROVIDER, now=NOW)


OTHER = UserId(UUID(int=2))
STRANGERS: list[tuple[Actor, type[Refusal]]] = [
    (ANONYMOUS, Unauthenticated),
    (Actor(user_id=OTHER, role=Role.PROVIDER), NotYourHours),
    (Actor(user_id=ME, role=Role.CUSTOMER), NotAProvider),
]


@pytest.mark.parametrize(("stranger", "refusal"), STRANGERS)
def test_only_the_provider_changes_the_hours(stranger: Actor, refusal: type[Refusal]) -> None:
    availability = hours(time_off=(off(7, NOW.date()),), overrides=(Override(NOW.date()),))
    tried: list[Callable[[], object]] = [
        lambda: Availability.open(id=ME, by=stranger, zone="UTC", weekly=OFFICE, now=NOW),
        lambda: availability.set_weekly(Weekly(), by=stranger, now=NOW),
        lambda: availability.move_to_zone("UTC", by=stranger, now=NOW),
        lambda: availability.override(NOW.date(), (), by=stranger, now=NOW),
        lambda: availability.clear_override(NOW.date(), by=stranger, now=NOW),
        lambda: availability.take_time_off(off(8, NOW.date()), by=stranger, now=NOW),
        lambda: availability.cancel_time_off(UUID(int=7), by=stranger, now=NOW),
    ]
    for attempt in tried:
        with pytest.raises(refusal):
            attempt()
    assert availability.take_events() == []


@pytest.mark.parametrize("actor", [Actor(user_id=OTHER, role=Role.ADMIN), Actor(kind=Kind.OPERATOR), SYSTEM])
def test_admins_operators_and_the_house_may_change_anybodys_hours(actor: Actor) -> None:
    availability = hours()
    availability.set_weekly(Weekly(), by=actor, now=LATER)
    assert availability.weekly == Weekly()


def test_new_weekly_hours_leave_exceptions_alone() -> None:
    availability = hours(overrides=(Override(date(2026, 3, 9)),), time_off=(off(1, date(2026, 3, 10)),))
    availability.set_weekly(Weekly.every_day("10:00-14:00"), by=PROVIDER, now=LATER)
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.WEEKLY)]
    assert len(availability.overrides) == len(availability.time_off) == 1
    assert availability.updated_at == LATER


def test_saying_the_same_again_changes_nothing() -> None:
    availability = hours(overrides=(Override(date(2026, 3, 9), ("10:00-11:00",)),))
    availability.set_weekly(OFFICE, by=PROVIDER, now=LATER)
    availability.move_to_zone("Europe/Lisbon", by=PROVIDER, now=LATER)
    availability.override(date(2026, 3, 9), ("10:00-11:00",), by=PROVIDER, now=LATER)
    assert availability.take_events() == []
    assert availability.updated_at == NOW


def test_a_move_to_another_zone_is_recorded() -> None:
    availability = hours()
    availability.move_to_zone("Pacific/Auckland", by=PROVIDER, now=LATER)
    assert availability.zone == "Pacific/Auckland"
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.ZONE)]
    assert availability.today(datetime(2026, 3, 2, 12, tzinfo=UTC)) == date(2026, 3, 3)


def test_overrides_are_kept_by_date_and_the_last_word_counts() -> None:
    availability = hours()
    availability.override(date(2026, 3, 9), (), by=PROVIDER, now=NOW)
    availability.override(date(2026, 3, 5), ("08:00-09:00",), by=PROVIDER, now=NOW)
    availability.override(date(2026, 3, 9), ("10:00-11:00",), by=PROVIDER, now=LATER)
    assert availability.overrides == (
        Override(date(2026, 3, 5), ("08:00-09:00",)),
        Override(date(2026, 3, 9), ("10:00-11:00",)),
    )
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.OVERRIDE)] * 3


def test_a_cleared_day_has_its_ordinary_hours_back() -> None:
    availability = hours(overrides=(Override(date(2026, 3, 9)),))
    availability.clear_override(date(2026, 3, 9), by=PROVIDER, now=LATER)
    assert availability.overrides == ()
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.OVERRIDE)]
    with pytest.raises(NoSuchOverride):
        availability.clear_override(date(2026, 3, 9), by=PROVIDER, now=LATER)


def test_a_day_that_is_over_stays_as_it_was() -> None:
    availability = hours()
    availability.override(date(2026, 3, 1), (), by=PROVIDER, now=NOW)
    with pytest.raises(DayIsOver) as refused:
        availability.override(date(2026, 2, 28), (), by=PROVIDER, now=NOW)
    assert refused.value.details == {"field": "day", "day": "2026-02-28", "today": "2026-03-02"}
    with pytest.raises(DayIsOver):
        availability.take_time_off(off(1, date(2026, 2, 1), date(2026, 2, 28)), by=PROVIDER, now=NOW)
    long_ago = TimeOff(id=UUID(int=1), starts_at=NOW - timedelta(days=4), ends_at=NOW - timedelta(days=3))
    with pytest.raises(DayIsOver) as refused:
        availability.take_time_off(long_ago, by=PROVIDER, now=NOW)
    assert refused.value.details["field"] == "ends_at"
    assert availability.time_off == ()


def test_time_off_is_taken_and_taken_back() -> None:
    availability = hours()
    availability.take_time_off(off(1, date(2026, 3, 9), date(2026, 3, 13)), by=PROVIDER, now=NOW)
    lunch = TimeOff(id=UUID(int=2), starts_at=NOW, ends_at=LATER)
    availability.take_time_off(lunch, by=PROVIDER, now=NOW)
    availability.cancel_time_off(UUID(int=1), by=PROVIDER, now=LATER)
    assert availability.time_off == (lunch,)
    assert availability.take_events() == [AvailabilityChanged(provider_id=ME, change=Change.TIME_OFF)] * 3
    with pytest.raises(NoSuchTimeOff):
        availability.cancel_time_off(UUID(int=1), by=PROVIDER, now=LATER)


def test_there_is_an_end_to_exceptions() -> None:
    days = tuple(Override(date(2026, 3, 3) + timedelta(days=n)) for n in range(400))
    absences = tuple(off(n, date(2026, 3, 3)) for n in range(200))
    availability = hours(overrides=days, time_off=absences)
    with pytest.raises(TooManyExceptions) as refused:
        availability.override(date(2029, 1, 1), (), by=PROVIDER, now=NOW)
    assert refused.value.details == {"most": 400}
    with pytest.raises(TooManyExceptions):
        availability.take_time_off(off(999, date(2026, 3, 3)), by=PROVIDER, now=NOW)
    availability.override(date(2026, 3, 3), ("09:00-10:00",), by=PROVIDER, now=NOW)
    assert len(availability.overrides) == 400


def test_exceptions_are_forgotten_a_month_after_their_day() -> None:
    availability = hours(
        overrides=(Override(date(2026, 3, 3)), Override(date(2026, 3, 10))),
        time_off=(off(1, date(2026, 3, 3)), TimeOff(id=UUID(int=2), starts_at=NOW, ends_at=NOW + timedelta(days=8))),
    )
    month_later = datetime(2026, 4, 4, 12, tzinfo=UTC)
    availability.override(date(2026, 4, 20), (), by=PROVIDER, now=month_later)
    availability.take_time_off(off(3, date(2026, 5, 1)), by=PROVIDER, now=month_later)
    assert [override.day for override in availability.overrides] == [date(2026, 3, 10), date(2026, 4, 20)]
    assert [absence.id for absence in availability.time_off] == [UUID(int=2), UUID(int=3)]
