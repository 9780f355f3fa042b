"""Which starts are offered, rule by rule, with the nights on which clocks change."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.scheduling import (
    Availability,
    Busy,
    Override,
    SlotRules,
    TimeOff,
    Weekly,
    bookable_dates,
    offers,
    reach,
    slots,
)
from domain.shared.errors import Invalid
from domain.shared.ids import JobId, UserId
from domain.shared.terms import occupancy_of
from domain.shared.time import Span

JOB = JobId(UUID(int=5))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
MONDAY = date(2026, 6, 1)
HOUR = timedelta(hours=1)


def hours(
    *windows: str, zone: str = "UTC", overrides: Sequence[Override] = (), time_off: Sequence[TimeOff] = ()
) -> Availability:
    return Availability(
        id=UserId(UUID(int=1)),
        zone=zone,
        weekly=Weekly.every_day(*windows),
        overrides=tuple(overrides),
        time_off=tuple(time_off),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )


def at(day: date, time: str, zone: str = "UTC", *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def booked(start: datetime, minutes: int, *, seats: int = 1, occupancy: UUID | None = None) -> Busy:
    span = Span(start, start + timedelta(minutes=minutes))
    return Busy(blocked=span, occupancy=occupancy or UUID(int=77), starts_at=start, seats=seats)


def shown(
    availability: Availability,
    rules: SlotRules,
    busy: Sequence[Busy] = (),
    *,
    day: date = MONDAY,
    last: date | None = None,
    now: datetime | None = None,
    seats: int = 1,
) -> list[str]:
    """The starts as the provider's clocks show them, with the offset where it tells two apart."""
    now = now or datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    listed = slots(availability, rules, busy, now=now, first=day, last=last or day, seats=seats)
    local = [slot.starts_at.astimezone(ZoneInfo(availability.zone)) for slot in listed]
    times = [f"{moment:%H:%M}" for moment in local]
    return [
        f"{time}{moment:%z}" if times.count(time) > 1 and last is None else time
        for time, moment in zip(times, local, strict=True)
    ]


# -- open minutes, durations and the grid ----------------------------------------------------------------------------


def test_the_whole_duration_lies_in_open_minutes_and_may_end_at_the_close() -> None:
    assert shown(hours("09:00-11:00"), SlotRules(duration=60, interval=30)) == ["09:00", "09:30", "10:00"]
    assert shown(hours("09:00-09:59"), SlotRules(duration=60)) == []


def test_the_grid_begins_at_each_windows_open_and_the_union_is_offered() -> None:
    offered = shown(hours("09:10-10:10", "11:25-12:30"), SlotRules(duration=30, interval=30))
    assert offered == ["09:10", "09:40", "11:25", "11:55"]


def test_touching_windows_of_a_date_are_one_window() -> None:
    split, whole = hours("09:00-09:50", "09:50-11:00"), hours("09:00-11:00")
    rules = SlotRules(duration=30, interval=30)
    assert shown(split, rules) == shown(whole, rules) == ["09:00", "09:30", "10:00", "10:30"]


def test_a_duration_runs_on_from_one_dates_window_into_the_next_dates() -> None:
    assert shown(hours("00:00-00:45", "23:30-24:00"), SlotRules(duration=60, interval=15)) == ["23:30", "23:45"]


def test_a_provider_who_never_closes_has_a_grid_that_begins_anew_each_midnight() -> None:
    offered = shown(hours("00:00-24:00"), SlotRules(duration=1440, interval=700))
    assert offered == ["00:00", "11:40", "23:20"]


def test_a_window_past_midnight_offers_its_early_hours_on_the_next_date() -> None:
    night = hours("22:00-02:00")
    rules = SlotRules(duration=60, interval=90)
    assert shown(night, rules, last=MONDAY + timedelta(days=1)) == [
        "01:00",
        "22:00",
        "23:30",
        "01:00",
        "22:00",
        "23:30",
    ]


def test_an_override_replaces_its_date_and_what_spills_in_from_the_evening_before() -> None:
    night = hours("22:00-02:00", overrides=[Override(MONDAY, ("10:00-11:00",))])
    rules = SlotRules(duration=60, interval=60)
    assert shown(night, rules) == ["10:00"]
    assert shown(night, rules, day=MONDAY - timedelta(days=1)) == ["00:00", "01:00", "22:00", "23:00"]
    assert shown(night, rules, day=MONDAY + timedelta(days=1)) == ["22:00", "23:00"]


def test_an_override_may_itself_run_past_midnight() -> None:
    day = hours("09:00-10:00", overrides=[Override(MONDAY, ("23:00-01:00",))])
    rules = SlotRules(duration=60, interval=60)
    assert shown(day, rules, last=MONDAY + timedelta(days=1)) == ["23:00", "00:00", "09:00"]
    closed_after = hours(overrides=[Override(MONDAY, ("23:00-01:00",)), Override(MONDAY + timedelta(days=1))])
    assert shown(closed_after, rules, last=MONDAY + timedelta(days=1)) == ["23:00"]


def test_an_empty_override_closes_the_date() -> None:
    assert shown(hours("00:00-24:00", overrides=[Override(MONDAY)]), SlotRules(duration=60)) == []


def test_time_off_closes_local_dates_both_ends_included() -> None:
    away = TimeOff(id=UUID(int=1), first=MONDAY, last=MONDAY + timedelta(days=1))
    office = hours("09:00-10:00", zone="Pacific/Auckland", time_off=[away])
    three_days = {"day": MONDAY - timedelta(days=1), "last": MONDAY + timedelta(days=2)}
    assert shown(office, SlotRules(duration=60), **three_days) == ["09:00", "09:00"]  # type: ignore[arg-type]


def test_time_off_between_moments_closes_every_minute_it_touches_and_leaves_the_grid_alone() -> None:
    away = TimeOff(id=UUID(int=1), starts_at=at(MONDAY, "09:00"), ends_at=at(MONDAY, "09:40:30"))
    assert shown(hours("09:00-11:00", time_off=[away]), SlotRules(duration=30, interval=20)) == ["10:00", "10:20"]


# -- what is taken ---------------------------------------------------------------------------------------------------


def test_blocked_spans_may_touch_and_never_overlap() -> None:
    office, rules = hours("09:00-13:00"), SlotRules(duration=60, interval=60)
    assert shown(office, rules, [booked(at(MONDAY, "10:00"), 60)]) == ["09:00", "11:00", "12:00"]
    assert shown(office, rules, [booked(at(MONDAY, "10:00"), 61)]) == ["09:00", "12:00"]
    assert shown(office, rules, [booked(at(MONDAY, "09:59:59"), 60)]) == ["11:00", "12:00"]


def test_the_buffers_of_both_bookings_add_up() -> None:
    office = hours("09:00-13:00")
    rules = SlotRules(duration=60, interval=15, buffer_before=15, buffer_after=15)
    with_its_buffers = booked(at(MONDAY, "10:30"), 60)
    assert shown(office, rules, [with_its_buffers]) == ["09:00", "09:15", "11:45", "12:00"]


def test_buffers_may_lie_outside_opening_hours() -> None:
    assert shown(hours("09:00-10:00"), SlotRules(duration=60, buffer_before=120, buffer_after=120)) == ["09:00"]


# -- notice and window -----------------------------------------------------------------------------------------------


def test_notice_is_real_time_and_exactly_enough_is_enough() -> None:
    office = hours("09:00-12:00")
    rules = SlotRules(duration=60, interval=60, notice=120)
    assert shown(office, rules, now=at(MONDAY, "08:00")) == ["10:00", "11:00"]
    assert shown(office, rules, now=at(MONDAY, "08:00:00.000001")) == ["11:00"]


def test_notice_counts_the_hour_that_a_spring_night_lacks() -> None:
    sunday = date(2026, 3, 29)
    rules = SlotRules(duration=30, interval=30, notice=180)
    offered = shown(
        hours("03:30-05:30", zone="Europe/Berlin"), rules, day=sunday, now=at(sunday, "00:30", "Europe/Berlin")
    )
    assert offered == ["04:30", "05:00"]


def test_the_past_is_never_offered() -> None:
    assert shown(hours("09:00-12:00"), SlotRules(duration=60, interval=60), now=at(MONDAY, "10:30")) == ["11:00"]
    assert shown(hours("09:00-12:00"), SlotRules(duration=60), now=at(MONDAY + timedelta(days=1), "00:00")) == []


def test_the_rolling_window_counts_local_dates_and_includes_both_ends() -> None:
    auckland = hours("09:00-10:00", zone="Pacific/Auckland")
    rules = SlotRules(duration=60, window_days=1)
    now = datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert bookable_dates(auckland, rules, now=now, first=date.min, last=date.max) == (
        date(2026, 6, 2),
        date(2026, 6, 3),
    )
    assert len(slots(auckland, rules, (), now=now, first=date.min, last=date.max)) == 2
    assert bookable_dates(auckland, rules, now=now, first=date(2026, 6, 4), last=date.max) is None
    assert slots(auckland, rules, (), now=now, first=date(2026, 6, 4), last=date.max) == []


# -- nights on which clocks change -----------------------------------------------------------------------------------


def test_nothing_starts_in_a_gap_and_a_window_inside_it_is_empty() -> None:
    sunday = date(2026, 3, 29)
    rules = SlotRules(duration=30, interval=30)
    assert shown(hours("01:30-03:30", zone="Europe/Berlin"), rules, day=sunday) == ["01:30", "03:00"]
    assert shown(hours("02:00-03:00", zone="Europe/Berlin"), rules, day=sunday) == []


def test_a_window_that_opens_in_a_gap_begins_at_its_first_real_minute() -> None:
    offered = shown(
        hours("02:20-04:00", zone="Europe/Berlin"), SlotRules(duration=20, interval=20), day=date(2026, 3, 29)
    )
    assert offered == ["03:00", "03:20", "03:40"]


def test_hours_in_a_fold_exist_twice() -> None:
    offered = shown(
        hours("02:00-03:00", zone="Europe/Berlin"), SlotRules(duration=60, interval=60), day=date(2026, 10, 25)
    )
    assert offered == ["02:00+0200", "02:00+0100"]


def test_a_window_that_closes_within_a_fold_closes_twice() -> None:
    offered = shown(
        hours("01:30-02:30", zone="Europe/Berlin"), SlotRules(duration=30, interval=30), day=date(2026, 10, 25)
    )
    assert offered == ["01:30", "02:00+0200", "02:00+0100"]


def test_durations_are_real_minutes_over_a_clock_change() -> None:
    spring = slots(
        hours("01:00-05:00", zone="Europe/Berlin"),
        SlotRules(duration=180, interval=60),
        (),
        now=LONG_AGO,
        first=date(2026, 3, 29),
        last=date(2026, 3, 29),
    )
    assert spring == []
    three_hours = slots(
        hours("01:00-05:00", zone="Europe/Berlin"),
        SlotRules(duration=180, interval=60, window_days=300),
        (),
        now=LONG_AGO,
        first=date(2026, 3, 29),
        last=date(2026, 3, 29),
    )
    assert [slot.ends_at - slot.starts_at for slot in three_hours] == [3 * HOUR]
    assert three_hours[0].starts_at == datetime(2026, 3, 29, 0, tzinfo=UTC)


def test_lord_howe_shifts_by_half_an_hour() -> None:
    rules = SlotRules(duration=30, interval=30)
    assert shown(hours("01:00-03:00", zone="Australia/Lord_Howe"), rules, day=date(2026, 10, 4)) == [
        "01:00",
        "01:30",
        "02:30",
    ]
    assert shown(hours("01:00-02:30", zone="Australia/Lord_Howe"), rules, day=date(2026, 4, 5)) == [
        "01:00",
        "01:30+1100",
        "01:30+1030",
        "02:00",
    ]


def test_troll_shifts_by_two_hours() -> None:
    rules = SlotRules(duration=60, interval=60)
    assert shown(hours("00:00-04:00", zone="Antarctica/Troll"), rules, day=date(2026, 3, 29)) == ["00:00", "03:00"]
    assert len(shown(hours("00:00-04:00", zone="Antarctica/Troll"), rules, day=date(2026, 10, 25))) == 6


def test_a_date_that_was_skipped_has_no_minutes() -> None:
    apia = hours("00:00-24:00", zone="Pacific/Apia")
    rules = SlotRules(duration=60, interval=720)
    now = datetime(2011, 12, 25, tzinfo=UTC)
    assert shown(apia, rules, day=date(2011, 12, 30), now=now) == []
    over = slots(apia, rules, (), now=now, first=date(2011, 12, 29), last=date(2011, 12, 31))
    assert [slot.starts_at.astimezone(ZoneInfo("Pacific/Apia")).day for slot in over] == [29, 29, 31, 31]
    assert over[2].starts_at - over[1].starts_at == 12 * HOUR


def test_a_full_day_runs_straight_over_a_skipped_date() -> None:
    apia = hours("00:00-24:00", zone="Pacific/Apia")
    rules = SlotRules(duration=1440, interval=1440)
    over = slots(
        apia, rules, (), now=datetime(2011, 12, 25, tzinfo=UTC), first=date(2011, 12, 29), last=date(2011, 12, 29)
    )
    assert over[0].ends_at.astimezone(ZoneInfo("Pacific/Apia")).date() == date(2011, 12, 31)


# -- shared sessions -------------------------------------------------------------------------------------------------

CLASS = SlotRules(duration=60, interval=60, capacity=5, job_id=JOB)


def session(start: datetime, seats: int, *, minutes: int = 60) -> Busy:
    return booked(start, minutes, seats=seats, occupancy=occupancy_of(JOB, start))


def test_a_session_is_offered_while_seats_remain() -> None:
    ten = at(MONDAY, "10:00")
    listed = slots(
        hours("09:00-12:00"), CLASS, [session(ten, 2), session(ten, 1)], now=ten - 24 * HOUR, first=MONDAY, last=MONDAY
    )
    assert [(f"{slot.starts_at:%H:%M}", slot.seats_left) for slot in listed] == [
        ("09:00", 5),
        ("10:00", 2),
        ("11:00", 5),
    ]
    assert shown(hours("09:00-12:00"), CLASS, [session(ten, 3)], seats=3) == ["09:00", "11:00"]
    assert shown(hours("09:00-12:00"), CLASS, [session(ten, 3)], seats=6) == []


def test_a_session_stands_against_everything_but_itself() -> None:
    half_hourly = SlotRules(duration=60, interval=30, capacity=5, job_id=JOB)
    ten = session(at(MONDAY, "10:00"), 1)
    assert shown(hours("09:00-12:00"), half_hourly, [ten]) == ["09:00", "10:00", "11:00"]
    alone = SlotRules(duration=60, interval=60)
    assert shown(hours("09:00-12:00"), alone, [ten]) == ["09:00", "11:00"]
    another_class = SlotRules(duration=60, interval=60, capacity=5, job_id=JobId(UUID(int=6)))
    assert shown(hours("09:00-12:00"), another_class, [ten]) == ["09:00", "11:00"]


def test_a_session_made_with_other_buffers_still_takes_its_own_guests() -> None:
    ten = at(MONDAY, "10:00")
    longer = Busy(blocked=Span(ten - HOUR, ten + 2 * HOUR), occupancy=occupancy_of(JOB, ten), starts_at=ten, seats=4)
    assert shown(hours("09:00-13:00"), CLASS, [longer]) == ["10:00", "12:00"]


def test_a_shared_session_belongs_to_a_job() -> None:
    with pytest.raises(Invalid):
        SlotRules(duration=60, capacity=2)


# -- one engine ------------------------------------------------------------------------------------------------------


def test_what_is_not_listed_is_refused() -> None:
    office, rules = hours("09:00-12:00"), SlotRules(duration=60, interval=30)
    now = at(MONDAY, "00:00")
    taken = [booked(at(MONDAY, "09:00"), 60)]
    assert offers(office, rules, taken, starts_at=at(MONDAY, "10:00"), now=now)
    for start in ("09:00", "09:30", "10:15", "10:30:01", "11:30", "08:00"):
        assert not offers(office, rules, taken, starts_at=at(MONDAY, start), now=now)
    assert not offers(office, rules, taken, starts_at=at(MONDAY, "10:00"), now=now, seats=2)


def test_a_start_may_be_asked_for_in_any_zone() -> None:
    berlin = hours("09:00-12:00", zone="Europe/Berlin")
    start = datetime(2026, 6, 1, 16, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert offers(berlin, SlotRules(duration=60), (), starts_at=start, now=at(MONDAY, "00:00"))


@pytest.mark.parametrize("seats", [0, -1])
def test_a_booking_takes_at_least_one_seat(seats: int) -> None:
    with pytest.raises(Invalid):
        slots(hours(), SlotRules(duration=60), (), now=LONG_AGO, first=MONDAY, last=MONDAY, seats=seats)


@pytest.mark.parametrize(
    "wrong",
    [{"duration": 0}, {"interval": 0}, {"capacity": 0}, {"buffer_before": -1}, {"notice": -1}, {"window_days": 5000}],
)
def test_rules_are_sound(wrong: dict[str, int]) -> None:
    with pytest.raises(Invalid) as refused:
        SlotRules(**{"duration": 60, **wrong})  # type: ignore[arg-type]
    assert refused.value.details["field"] == next(iter(wrong))


def test_a_start_blocks_its_span_and_its_buffers() -> None:
    rules = SlotRules(duration=60, buffer_before=10, buffer_after=20)
    assert rules.blocked(at(MONDAY, "10:00")) == Span(at(MONDAY, "09:50"), at(MONDAY, "11:20"))


def test_everything_that_can_stand_against_a_start_lies_within_reach() -> None:
    rules = SlotRules(duration=600, buffer_before=30, buffer_after=40)
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "UTC"):
        start, end = at(MONDAY, "00:00", zone), at(MONDAY, "23:59", zone)
        within = reach(rules, MONDAY, MONDAY)
        assert within.starts_at < rules.blocked(start).starts_at
        assert rules.blocked(end).ends_at < within.ends_at


def test_the_calendar_has_no_edge_to_fall_off() -> None:
    assert reach(SlotRules(duration=60), date(1970, 1, 1), date(1970, 1, 2)).starts_at == datetime(
        1970, 1, 1, tzinfo=UTC
    )
    first = slots(
        hours("09:00-10:00"),
        SlotRules(duration=60, window_days=0),
        (),
        now=datetime(1970, 1, 1, tzinfo=UTC),
        first=date.min,
        last=date.max,
    )
    assert [slot.starts_at for slot in first] == [datetime(1970, 1, 1, 9, tzinfo=UTC)]


def test_new_year_is_a_night_like_any_other() -> None:
    late = date(2026, 12, 31)
    offered = shown(hours("23:00-01:00", zone="Australia/Sydney"), SlotRules(duration=120, interval=60), day=late)
    assert offered == ["23:00"]
