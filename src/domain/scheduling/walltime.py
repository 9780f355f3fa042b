"""Wall time against real time. A zone's offset changes; the real minutes between two changes show one run of wall
minutes each, so a gap is a wall time that no minute shows and a fold one that two minutes show."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.scheduling.stretches import Stretch
from domain.shared.time import zone

Regime = tuple[int, int, int]
"""An offset from UTC and the real seconds `[since, until)` of its reign: (since, until, offset), all in seconds."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
DAY = 24 * 60

_STEP = 2 * 86_400
"""Probed this often, no change is missed: since 1970 no zone has changed twice within six days."""


@lru_cache(maxsize=1024)
def regimes(zone_name: str, first_year: int, last_year: int) -> tuple[Regime, ...]:
    """The zone's offsets over these whole UTC years, in order."""
    changes: list[tuple[int, int]] = []
    for year in range(first_year, last_year + 1):
        for since, offset in _changes(zone_name, year):
            if not changes or changes[-1][1] != offset:
                changes.append((since, offset))
    ends = [since for since, _ in changes[1:]] + [_new_year(last_year + 1)]
    return tuple((since, until, offset) for (since, offset), until in zip(changes, ends, strict=True))


def around(zone_name: str, first_day: int, last_day: int) -> list[Regime]:
    """The offsets that matter for wall time of these days (counted from 1970), with a margin on either side."""
    since, until = (first_day - 2) * 86_400, (last_day + 3) * 86_400
    years = (EPOCH + timedelta(seconds=since)).year, (EPOCH + timedelta(seconds=until)).year
    return [regime for regime in regimes(zone_name, *years) if regime[0] < until and since < regime[1]]


def told(moments: Iterable[datetime], zone_name: str) -> Iterator[str]:
    """These moments, given in UTC and in order, as the zone's clocks tell them: ISO 8601 with the offset."""
    since = until = offset = 0
    suffix = ""
    for moment in moments:
        second = (moment - EPOCH) // _SECOND
        if not since <= second < until:
            day = second // 86_400
            since, until, offset = next(each for each in around(zone_name, day, day) if each[0] <= second < each[1])
            suffix = (EPOCH + timedelta(seconds=since)).astimezone(zone(zone_name)).isoformat()[19:]
        yield (moment + timedelta(seconds=offset)).isoformat()[:-6] + suffix


def showing(opens: int, closes: int, clocks: list[Regime]) -> list[Stretch]:
    """The real minutes that show a wall minute in `[opens, closes)`, in order: none in a gap, twice in a fold."""
    shown: list[Stretch] = []
    for since, until, offset in clocks:
        low = -(-max(opens * 60 - offset, since) // 60)
        high = -(-min(closes * 60 - offset, until) // 60)
        if low < high:
            shown.append((low, high))
    return shown


def minute(moment: datetime) -> int:
    """The minute in which this moment lies."""
    past = moment - EPOCH
    return past.days * DAY + past.seconds // 60


def next_minute(moment: datetime) -> int:
    """The first minute that begins at this moment or later."""
    past = moment - EPOCH
    seconds, rest = divmod(past.seconds, 60)
    return past.days * DAY + seconds + (rest > 0 or past.microseconds > 0)


@lru_cache(maxsize=8192)
def _changes(zone_name: str, year: int) -> tuple[tuple[int, int], ...]:
    """The offset as the UTC year begins and each that begins within it: (since, offset)."""
    clock, since, end = zone(zone_name), _new_year(year), _new_year(year + 1) - 1
    offset = _offset(clock, since)
    found = [(since, offset)]
    while since < end:
        probe = min(since + _STEP, end)
        if (later := _offset(clock, probe)) != offset:
            offset = later
            found.append((_first_second(clock, since, probe, later), later))
        since = probe
    return tuple(found)


def _first_second(clock: ZoneInfo, before: int, after: int, offset: int) -> int:
    """The first second of `(before, after]` at which this offset holds, given that it holds at `after`."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(clock, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(clock: ZoneInfo, second: int) -> int:
    ahead = (EPOCH + timedelta(seconds=second)).astimezone(clock).utcoffset() or timedelta()
    return ahead.days * 86_400 + ahead.seconds


def _new_year(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days * 86_400
