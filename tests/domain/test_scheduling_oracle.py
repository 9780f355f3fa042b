"""The slot engine against an oracle that knows no arithmetic: it looks at every minute on the wall clock.

`make test` runs a sample. The whole of it, every zone and transition of a run of years:
`PYTHONPATH=src python tests/domain/test_scheduling_oracle.py 1970 2037`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.scheduling import (
    Availability,
    Busy,
    OfferedSlot,
    Override,
    SlotRules,
    TimeOff,
    Weekly,
    offers,
    slots,
    told,
)
from domain.scheduling.walltime import regimes
from domain.shared.ids import JobId, UserId
from domain.shared.terms import occupancy_of
from domain.shared.time import Span

PROVIDER = UserId(UUID(int=1))
JOB = JobId(UUID(int=2))
MADE = datetime(2025, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Asked(TypedDict):
    """What a customer asks for, and when."""

    now: datetime
    first: date
    last: date
    seats: int


Transition = tuple[int, int, int]
"""When an offset changes, from what, and to what, in seconds."""
Engine = Callable[..., list[OfferedSlot]]
Window = tuple[date, int]
"""A window by the date it opens on and its number there."""
World = tuple[Availability, SlotRules, list[Busy], Asked]


# -- the oracle ------------------------------------------------------------------------------------------------------


def oracle(
    hours: Availability, rules: SlotRules, busy: Sequence[Busy], *, now: datetime, first: date, last: date, seats: int
) -> list[OfferedSlot]:
    """What may be offered, found by asking each minute what it shows."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC) - 2 * DAY
    until = datetime(last.year, last.month, last.day, tzinfo=UTC) + 3 * DAY + rules.duration * MINUTE
    moments, walls = minutes_of(hours.zone, since, until)
    open_on = {day: windows_by_minute(hours, day) for day in {wall.date() for wall in walls}}
    windows = [open_on[wall.date()].get(wall.hour * 60 + wall.minute, ()) for wall in walls]
    begins: dict[Window, int] = {}
    for at, within in enumerate(windows):
        for window in within:
            begins.setdefault(window, at)
    open_for = [0] * (len(walls) + 1)
    for at in range(len(walls) - 1, -1, -1):
        is_open = windows[at] and not is_off(hours, moments[at], walls[at])
        open_for[at] = open_for[at + 1] + 1 if is_open else 0
    today = now.astimezone(ZoneInfo(hours.zone)).date()
    found: list[OfferedSlot] = []
    for at, (moment, wall) in enumerate(zip(moments, walls, strict=True)):
        on_grid = any((at - begins[window]) % rules.interval == 0 for window in windows[at])
        listed = first <= wall.date() <= last and today <= wall.date() <= today + rules.window_days * DAY
        if not (on_grid and listed and open_for[at] >= rules.duration and moment >= now + rules.notice * MINUTE):
            continue
        left = seats_left(rules, busy, moment)
        if left >= seats:
            found.append(OfferedSlot(moment, moment + rules.duration * MINUTE, left))
    return found


def windows_by_minute(hours: Availability, day: date) -> dict[int, list[Window]]:
    """For each wall minute of this date the windows it lies in: the date's own, and the evening before's."""
    overridden = {override.day: override.windows for override in hours.overrides}

    def opening(date: date) -> tuple[str, ...]:
        return overridden.get(date, hours.weekly.by_weekday()[date.weekday()])

    within: dict[int, list[Window]] = {}
    for number, run in enumerate(runs(opening(day))):
        for minute in run:
            within.setdefault(minute, []).append((day, number))
    for number, run in enumerate(runs(opening(day - DAY)) if day not in overridden else ()):
        for minute in run:
            within.setdefault(minute - 1440, []).append((day - DAY, number))
    return within


@lru_cache(maxsize=10_000)
def runs(windows: tuple[str, ...]) -> tuple[range, ...]:
    """The minutes from midnight that any window holds, as unbroken runs."""
    minutes: set[int] = set()
    for window in windows:
        opens, closes = (int(h) * 60 + int(m) for h, m in (end.split(":") for end in window.split("-")))
        minute = opens
        while minute % 1440 != closes % 1440 or (minute == opens == 0 and closes == 1440):
            minutes.add(minute)
            minute += 1
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    ends = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return tuple(range(start, end) for start, end in zip(starts, ends, strict=True))


def is_off(hours: Availability, moment: datetime, wall: datetime) -> bool:
    """Whether any part of this minute is time off."""
    for off in hours.time_off:
        if off.first is not None and off.last is not None:
            if off.first <= wall.date() <= off.last:
                return True
        elif (
            off.starts_at is not None
            and off.ends_at is not None
            and off.starts_at < moment + MINUTE
            and moment < off.ends_at
        ):
            return True
    return False


def seats_left(rules: SlotRules, busy: Sequence[Busy], start: datetime) -> int:
    """The seats left at this start; none where something else is in the way."""
    wanted = Span(start - rules.buffer_before * MINUTE, start + (rules.duration + rules.buffer_after) * MINUTE)
    left = rules.capacity
    for held in busy:
        same = rules.capacity > 1 and held.occupancy == occupancy_of(JOB, start)
        if same:
            left -= held.seats
        elif held.blocked.overlaps(wanted):
            return 0
    return left


@lru_cache(maxsize=4)
def minutes_of(zone: str, since: datetime, until: datetime) -> tuple[list[datetime], list[datetime]]:
    """Each real minute, and what the zone's clocks show then."""
    moments = [since + at * MINUTE for at in range((until - since) // MINUTE)]
    clocks = ZoneInfo(zone)
    return moments, [moment.astimezone(clocks) for moment in moments]


# -- the sweep -------------------------------------------------------------------------------------------------------

WEEKS: tuple[tuple[str, ...], ...] = (
    ("00:00-24:00",),
    ("01:15-02:45", "23:10-01:40"),
    ("00:20-02:10", "02:10-03:30", "22:00-00:30"),
    ("22:30-05:00",),
    ("02:00-03:00", "23:00-24:00"),
    ("00:30-01:30", "12:00-12:00", "23:30-00:00"),
)


def transitions(zone: str, first_year: int, last_year: int) -> Iterator[Transition]:
    """Each change of the zone's offset in these years."""
    for earlier, later in pairwise(regimes(zone, first_year, last_year)):
        yield later[0], earlier[2], later[2]


def distinct(first_year: int, last_year: int) -> dict[Transition, str]:
    """Every transition of every zone, once: zones that change at one moment by the same offsets are alike there."""
    return {
        change: zone for zone in sorted(available_timezones()) for change in transitions(zone, first_year, last_year)
    }


def compare_around(zone: str, second: int, chance: Random, engine: Engine = slots) -> int:
    """Judge the two days about this moment by engine and oracle; how many slots they agreed on."""
    at = datetime.fromtimestamp(second, UTC)
    day = at.astimezone(ZoneInfo(zone)).date()
    weekly = Weekly.every_day(*chance.choice(WEEKS))
    overrides = (
        (Override(day + chance.choice((-1, 0, 1)) * DAY, chance.choice(WEEKS)),) if chance.random() < 0.3 else ()
    )
    hours = Availability(id=PROVIDER, zone=zone, weekly=weekly, overrides=overrides, created_at=MADE, updated_at=MADE)
    rules = SlotRules(
        duration=chance.choice((10, 30, 45, 60, 90)),
        buffer_before=chance.choice((0, 10)),
        buffer_after=chance.choice((0, 15)),
        interval=chance.choice((10, 15, 25, 30, 60)),
        notice=chance.choice((0, 60)),
    )
    taken = at + timedelta(minutes=chance.randrange(-180, 180))
    busy = [Busy(blocked=Span(taken, taken + 25 * MINUTE), occupancy=UUID(int=9), starts_at=taken)]
    asked: Asked = {"now": at - DAY - 7 * MINUTE, "first": day - DAY, "last": day, "seats": 1}
    expected = oracle(hours, rules, busy, **asked)
    offered = engine(hours, rules, busy, **asked)
    assert offered == expected, f"{zone} at {at}: {hours.weekly.monday} {overrides} {rules}"
    return len(offered)


def sweep(first_year: int, last_year: int, *, most: int | None = None) -> tuple[int, int]:
    """Compare engine and oracle at every transition of every zone in these years, or at `most` of them drawn evenly;
    how many were compared, and on how many slots they agreed."""
    changes = sorted(distinct(first_year, last_year).items())
    chance = Random(20_250_101)
    if most is not None and most < len(changes):
        changes = chance.sample(changes, most)
    return len(changes), compare_all(changes, chance)


def compare_all(changes: Iterable[tuple[Transition, str]], chance: Random, engine: Engine = slots) -> int:
    """Compare at each of these transitions; on how many slots they agreed."""
    return sum(compare_around(zone, second, chance, engine) for (second, _, _), zone in changes)


def test_every_zone_keeps_the_offsets_its_clocks_show_for_ten_years() -> None:
    since, until = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2025, 2035))
    for zone in available_timezones():
        clocks = ZoneInfo(zone)
        known = regimes(zone, 2025, 2034)
        assert (known[0][0], known[-1][1]) == (since, until)
        for begin, end, offset in known:
            for second in (begin, end - 1, *range(begin + 43_200, end, 6 * 86_400)):
                shown = datetime.fromtimestamp(second, clocks).utcoffset()
                assert shown == timedelta(seconds=offset), (zone, second)


def test_engine_and_oracle_agree_at_the_clock_changes_of_every_zone() -> None:
    compared, agreed = sweep(2025, 2034, most=200)
    assert compared == 200
    assert agreed > 5_000


# -- worlds drawn at random ------------------------------------------------------------------------------------------

PLACES: tuple[tuple[str, date], ...] = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Africa/Monrovia", date(1972, 1, 7)),
    ("Asia/Kathmandu", date(2026, 7, 1)),
    ("UTC", date(2026, 1, 1)),
)

walls = st.one_of(
    st.sampled_from((0, 60, 90, 120, 150, 180, 1380, 1410)),
    st.integers(0, 1439),
    st.integers(0, 287).map(lambda n: 5 * n),
)


def _window(opens: int, closes: int) -> str:
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


some_window = st.builds(_window, walls, st.one_of(walls, st.just(1440)))
long_window = st.builds(_window, st.integers(0, 180), st.integers(300, 1440))
windows = st.one_of(
    st.lists(some_window, max_size=3).map(tuple),
    st.tuples(long_window),
    st.tuples(long_window, some_window),
    st.just(("00:00-24:00",)),
)
weeks = st.lists(windows, min_size=7, max_size=7).map(
    lambda days: Weekly(**dict(zip(Weekly.__slots__, days, strict=True)))
)
seconds = st.integers(-3 * 86_400, 3 * 86_400)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone, day = draw(st.sampled_from(PLACES))
    middle = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)

    def moment(step: int = 60) -> datetime:
        return middle + timedelta(seconds=draw(seconds) // step * step)

    def near() -> date:
        return day + draw(st.integers(-2, 2)) * DAY

    off: list[TimeOff] = []
    for number in range(draw(st.integers(0, 2))):
        if draw(st.integers(0, 3)) == 3:
            first = near()
            off.append(TimeOff(id=UUID(int=number), first=first, last=first + draw(st.integers(0, 1)) * DAY))
        else:
            start = moment(draw(st.sampled_from((1, 60))))
            length = timedelta(seconds=draw(st.integers(1, 20_000)))
            off.append(TimeOff(id=UUID(int=number), starts_at=start, ends_at=start + length))
    days = {near() for _ in range(draw(st.integers(0, 2)))}
    hours = Availability(
        id=PROVIDER,
        zone=zone,
        weekly=draw(weeks),
        overrides=tuple(Override(each, draw(windows)) for each in sorted(days)),
        time_off=tuple(off),
        created_at=MADE,
        updated_at=MADE,
    )
    rules = SlotRules(
        duration=draw(st.one_of(*[st.integers(5, 120)] * 5, st.integers(1, 400), st.sampled_from((1440, 2000)))),
        buffer_before=draw(st.sampled_from((0, 0, 5, 30, 61))),
        buffer_after=draw(st.sampled_from((0, 0, 5, 30, 61))),
        interval=draw(st.sampled_from((5, 7, 15, 20, 30, 45, 60, 90, 1440))),
        notice=draw(st.sampled_from((0, 0, 30, 1441))),
        window_days=draw(st.sampled_from((1, 6, 30, 30, 30))),
        capacity=draw(st.sampled_from((1, 3, 4))),
        job_id=JOB,
    )
    first = near()
    asked: Asked = {
        "now": moment(1) - 5 * DAY,
        "first": first,
        "last": first + draw(st.integers(0, 2)) * DAY,
        "seats": draw(st.integers(1, rules.capacity + draw(st.sampled_from((0, 0, 0, 1))))),
    }
    busy: list[Busy] = []
    for number in range(draw(st.integers(0, 3))):
        start = moment(draw(st.sampled_from((1, 60, 900))))
        blocked = Span(start, start + timedelta(seconds=draw(st.integers(1, 20_000))))
        busy.append(Busy(blocked=blocked, occupancy=UUID(int=100 + number), starts_at=start))
    open_starts = slots(hours, rules, (), now=asked["now"], first=first, last=asked["last"])
    for _ in range(draw(st.integers(0, 3)) if open_starts and rules.capacity > 1 else 0):
        start = draw(st.sampled_from(open_starts)).starts_at
        held = Busy(
            blocked=rules.blocked(start),
            occupancy=occupancy_of(JOB, start),
            starts_at=start,
            seats=draw(st.integers(1, 2)),
        )
        busy.append(held)
    return hours, rules, busy, asked


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(worlds())
def test_engine_and_oracle_agree_in_any_world(world: World) -> None:
    hours, rules, busy, asked = world
    assert slots(hours, rules, busy, **asked) == oracle(hours, rules, busy, **asked)


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.integers(-2_000, 2_000))
def test_what_is_listed_is_what_can_be_booked(world: World, aside: int) -> None:
    hours, rules, busy, asked = world
    listed = {slot.starts_at for slot in slots(hours, rules, busy, **asked)}
    now, seats = asked["now"], asked["seats"]
    middle = datetime(*asked["first"].timetuple()[:3], 12, tzinfo=UTC) + aside * MINUTE
    clocks = ZoneInfo(hours.zone)
    for start in {middle, *sorted(listed)[:3], *(start + 5 * MINUTE for start in sorted(listed)[:3])}:
        if asked["first"] <= start.astimezone(clocks).date() <= asked["last"]:
            bookable = offers(hours, rules, busy, starts_at=start, now=now, seats=seats)
            assert bookable == (start in listed)


# -- negative controls: planted engines that the comparison must catch -----------------------------------------------


def deaf_to_clock_changes(hours: Availability, *rest: Any, **asked: Any) -> list[OfferedSlot]:
    """Counts on the winter offset all year."""
    return slots(copied(hours, zone="Etc/GMT-1"), *rest, **asked)


def careless_of_buffers(hours: Availability, rules: SlotRules, *rest: Any, **asked: Any) -> list[OfferedSlot]:
    """Lets the new booking's own buffers overlap what is taken."""
    return slots(hours, replace(rules, buffer_before=0, buffer_after=0), *rest, **asked)


def letting_evenings_spill(hours: Availability, *rest: Any, **asked: Any) -> list[OfferedSlot]:
    """Forgets that an override also replaces what comes from the evening before."""
    reopened = tuple(
        Override(each.day, (*each.windows, *(f"00:00{window[5:]}" for window in before if window[6:] < window[:5])))
        for each in hours.overrides
        for before in [hours.weekly.monday]
    )
    return slots(copied(hours, overrides=reopened), *rest, **asked)


def copied(hours: Availability, **changes: Any) -> Availability:
    """The same hours but for these fields."""
    names = ("id", "zone", "weekly", "overrides", "time_off", "created_at", "updated_at")
    return Availability(**{**{name: getattr(hours, name) for name in names}, **changes})


@pytest.mark.parametrize("planted", [deaf_to_clock_changes, careless_of_buffers, letting_evenings_spill])
def test_a_planted_engine_is_caught(planted: Engine) -> None:
    changes = dict.fromkeys(transitions("Europe/Berlin", 2025, 2034), "Europe/Berlin")
    with pytest.raises(AssertionError, match="Europe/Berlin"):
        compare_all([*changes.items()] * 4, Random(1), planted)


if __name__ == "__main__":
    first_year, last_year = (int(year) for year in sys.argv[1:3])
    compared, agreed = sweep(first_year, last_year)
    print(f"{compared} transitions compared, {agreed} slots agreed on, 0 differences")


@given(
    st.sampled_from(sorted(available_timezones())),
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)), max_size=8),
)
def test_moments_are_told_as_the_clocks_of_the_zone_tell_them(zone: str, moments: list[datetime]) -> None:
    moments.sort()
    assert list(told(moments, zone)) == [moment.astimezone(ZoneInfo(zone)).isoformat() for moment in moments]
