"""Whose time it is: nobody's twice (B1), no more seats than there are (B2), given back in time (B4), in open hours
(B6)."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta

from adapters.persistence.rules.hours import works_throughout
from adapters.persistence.rules.rule import Change, Found, Group, Liveness, Rule, Step, each, series
from adapters.persistence.schema.tables import Row

_TAKES = ("held", "confirmed")
_SEATED = ("held", "confirmed", "completed", "no_show")
_OVERLAPS = "it shares its provider's time with another active booking"
_LOOK = "see both bookings' history with `guildhall audit list`, move or cancel one, and find the path past the gate"
_REBUILD = "compare the booking with its audit trail; restore what was changed past the use cases from a backup"


def _session(row: Row) -> Iterable[Hashable]:
    """What takes time as one: the seats of one start of a shared job, or the booking alone."""
    return ((row["job_id"], row["span"].starts_at) if row["capacity"] > 1 else (row["id"], None),)


def _occupied(row: Row) -> Iterable[Hashable]:
    return (row["occupancy"],) if row["capacity"] > 1 else ()


def _blocked(row: Row) -> tuple[datetime, datetime]:
    before, after = timedelta(minutes=row["buffer_before"]), timedelta(minutes=row["buffer_after"])
    return row["span"].starts_at - before, row["span"].ends_at + after


def _hull(rows: list[Row]) -> tuple[datetime, datetime, list[Row]]:
    spans = [_blocked(row) for row in rows]
    return min(lo for lo, _ in spans), max(hi for _, hi in spans), rows


def _overlapping(group: Group) -> Found:
    sessions: dict[Hashable, list[Row]] = {}
    for row in group["bookings"]:
        if row["state"] in _TAKES:
            for session in _session(row):
                sessions.setdefault(session, []).append(row)
    if len(sessions) < 2:
        return
    taken = sorted((_hull(rows) for rows in sessions.values()), key=lambda hull: hull[0])
    latest: datetime | None = None
    for place, (lo, hi, rows) in enumerate(taken):
        into_next = place + 1 < len(taken) and taken[place + 1][0] < hi
        if into_next or (latest is not None and lo < latest):
            yield from ((row["id"], _OVERLAPS) for row in rows)
        latest = hi if latest is None else max(latest, hi)


def _overfull(group: Group) -> Found:
    seated = [row for row in group["bookings"] if row["state"] in _SEATED]
    if not seated:
        return
    taken, capacity = sum(row["seats"] for row in seated), max(row["capacity"] for row in seated)
    if taken > capacity or min(row["seats"] for row in seated) < 1:
        yield from ((row["id"], f"{taken} seats are taken, there are {capacity}") for row in seated)


def _miscounted(group: Group) -> Found:
    seated = [row for row in group["bookings"] if row["state"] in _SEATED]
    taken, counted = sum(row["seats"] for row in seated), sum(row["value"] for row in group["tallies"])
    if taken != counted:
        yield f"seats:{group.key}", f"{counted} seats are counted, {taken} are taken"


def _elsewhere(group: Group) -> Found:
    rows = group["bookings"]
    apart = len({row["occupancy"] for row in rows}) > 1
    for row in rows:
        if apart or (row["capacity"] > 1) == (row["occupancy"] == row["id"]):
            yield row["id"], "it is held under a key of its own, or not of its own"


def _displaced(row: Row) -> str | None:
    lo, hi = _blocked(row)
    exact = (row["blocked"].starts_at, row["blocked"].ends_at, row["starts_at"]) == (lo, hi, row["span"].starts_at)
    return None if exact else "what is blocked is not its time and its buffers"


def _active(row: Row) -> str | None:
    return None if row["active"] == (row["state"] in _TAKES) else f"it is {row['state']}, and active says otherwise"


RULES = (
    Rule(
        code="B1",
        name="no_two_active_bookings_overlap",
        says="No two active bookings of one provider overlap, buffers included, unless they are seats of one session.",
        means="two customers were promised the same time of one person",
        mend=_LOOK,
        by={"bookings": "provider_id"},
        broken=_overlapping,
        sql=f"""
            with taken as (
              select provider_id, array_agg(id) as ids,
                min(lower(span) - buffer_before * interval '1 minute') as lo,
                max(upper(span) + buffer_after * interval '1 minute') as hi
              from bookings where state in ('held', 'confirmed')
              group by provider_id, case when capacity > 1 then job_id else id end,
                case when capacity > 1 then lower(span) end
            ), beside as (
              select ids, lo, hi,
                max(hi) over (partition by provider_id order by lo, ids
                  rows between unbounded preceding and 1 preceding) as latest,
                lead(lo) over (partition by provider_id order by lo, ids) as following
              from taken)
            select unnest(ids)::text as subject, '{_OVERLAPS.replace("'", "''")}' as said
            from beside where lo < latest or following < hi
        """,  # noqa: S608 - our own sentence
    ),
    Rule(
        code="B1",
        name="active_is_what_its_state_says",
        says="A booking is marked active exactly while held or confirmed: the guard against overlaps looks there.",
        means="the database's guard overlooks this booking, or keeps a free slot closed",
        mend=_REBUILD,
        by={"bookings": "id"},
        broken=each("bookings", _active),
        sql="""
            select id::text as subject, 'it is ' || state || ', and active says otherwise' as said
            from bookings where active <> (state in ('held', 'confirmed'))
        """,
    ),
    Rule(
        code="B1",
        name="a_session_shares_one_key",
        says="Seats of one session hold their provider's time under one key; any other booking under its own.",
        means="seats of one session exclude each other, or strangers share one time",
        mend=_REBUILD,
        by={"bookings": _session},
        broken=_elsewhere,
        sql="""
            select id::text as subject, 'it is held under a key of its own, or not of its own' as said
            from (select id, occupancy, capacity,
                    min(occupancy::text) over w <> max(occupancy::text) over w as apart
                  from bookings
                  window w as (partition by case when capacity > 1 then job_id else id end,
                    case when capacity > 1 then lower(span) end)) as kept
            where apart or (capacity > 1) = (occupancy = id)
        """,
    ),
    Rule(
        code="B2",
        name="seats_never_exceed_capacity",
        says="The seats taken in a session never exceed its capacity, and nobody takes less than one.",
        means="more people were let in than there is room for",
        mend="ask the latest to come another time, and find the path past the seats' tally",
        by={"bookings": _session},
        broken=_overfull,
        sql="""
            select unnest(array_agg(id))::text as subject,
              sum(seats) || ' seats are taken, there are ' || max(capacity) as said
            from bookings where state in ('held', 'confirmed', 'completed', 'no_show')
            group by case when capacity > 1 then job_id else id end, case when capacity > 1 then lower(span) end
            having sum(seats) > max(capacity) or min(seats) < 1
        """,
    ),
    Rule(
        code="B2",
        name="seats_are_counted_as_taken",
        says="The count of a session's seats, by which the next one is let in or not, is what its bookings take.",
        means="free seats cannot be sold, or sold ones are sold again",
        mend="set the tally of that name to what is taken, and find who ended or moved a booking past it",
        by={"bookings": _occupied, "tallies": series("seats:")},
        broken=_miscounted,
        sql="""
            select coalesce(t.name, b.name) as subject,
              coalesce(t.value, 0) || ' seats are counted, ' || coalesce(b.seats, 0) || ' are taken' as said
            from (select 'seats:' || occupancy as name, sum(seats) as seats from bookings
                  where capacity > 1 and state in ('held', 'confirmed', 'completed', 'no_show')
                  group by occupancy) as b
            full join (select * from tallies where name like 'seats:%') as t on t.name = b.name
            where coalesce(t.value, 0) <> coalesce(b.seats, 0)
        """,
    ),
    Rule(
        code="B6",
        name="what_is_blocked_is_the_time_and_its_buffers",
        says="A booking ends after it starts, and blocks exactly its time with the buffers it was made with.",
        means="the database guards another time than the one that was promised",
        mend=_REBUILD,
        by={"bookings": "id"},
        broken=each("bookings", _displaced),
        sql="""
            select id::text as subject, 'what is blocked is not its time and its buffers' as said from bookings
            where isempty(span) or starts_at <> lower(span)
              or lower(blocked) <> lower(span) - buffer_before * interval '1 minute'
              or upper(blocked) <> upper(span) + buffer_after * interval '1 minute'
        """,
    ),
)


def _in_hours(change: Change) -> bool:
    row, was = change.after, change.before
    if row is None:
        return True
    placed = was is None or was["span"] != row["span"] or (row["active"] and not was["active"])
    if not placed:
        return True
    hours: Row | None = change.tables["availabilities"].get(row["provider_id"])
    return hours is not None and works_throughout(hours, row["span"])


STEPS = (
    Step(
        code="B6",
        name="it_is_placed_in_open_hours",
        says="When it is made, moved or taken again, every minute of a booking is open in its provider's hours.",
        holds=_in_hours,
        instead="tests/domain/test_scheduling_oracle.py (hours change later, so rows cannot tell)",
        means="a booking was placed where nobody works",
        mend=_REBUILD,
        table="bookings",
    ),
)

LIVENESS = (
    Liveness(
        code="B4",
        name="no_hold_outlives_its_time",
        says="A hold or request whose time is over ends within one sweep.",
        means="a slot nobody pays for looks taken until somebody else books it",
        mend="see that a worker runs: `guildhall worker`, or `guildhall serve`",
        table="bookings",
        grace=timedelta(minutes=2),
        since=lambda row: row["expires_at"] if row["state"] in ("held", "requested") else None,
        sql="""
            select id::text as subject, state || ' since ' || expires_at as said from bookings
            where state in ('held', 'requested') and expires_at < $1
        """,
    ),
)
