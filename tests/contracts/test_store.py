"""What every store promises: memory, PostgreSQL 18 and 15, and Supabase's PostgREST, by the same tests."""

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.persistence.refusals import Duplicate, Violation
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Delete, Guard, Insert, Tally, Update, Write
from application.commands import AlreadyCommitted
from application.ports.criteria import AnyOf, Between, Order, Overlaps, Present
from domain.bookings import SlotTaken, SoldOut
from domain.identity import EmailTaken
from domain.shared.errors import Conflict, Invalid, StaleVersion
from domain.shared.time import EARLIEST, LATEST, Span
from tests.contracts import races
from tests.contracts.rows import HOUR, LATER, Rows
from tests.contracts.stores import (
    NOW,
    SUPABASE,
    Backend,
    backend,
    connected,
    outcome,
    postgres,
    until,
)

__all__ = ["backend", "postgres"]

SECOND = timedelta(seconds=1)
ALL_PLANES = "".join(chr(plane * 0x10000 + offset) for plane in range(17) for offset in (1, 0x2A, 0xFFFD, 0xFFFF))
NESTED = {
    "": "",
    "list": [[], [[]], {}, [{"deep": [None, True, False, 0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 1.5, ALL_PLANES]}]],
    "quoted \"'\\ \\u0000": "\\u0000",
}


@pytest.fixture
def rows() -> Rows:
    return Rows()


# --- Loading ----------------------------------------------------------------------------------------------------------


def events(rows: Rows) -> list[Row]:
    """Six rows that differ in every type of column but the span."""
    ids = sorted(rows.id() for _ in range(6))
    return [
        rows.row(
            "outbox",
            id=id,
            name="even" if n % 2 == 0 else "odd",
            subject_id=UUID(int=n // 2),
            subject_version=n - 2,
            due_at=NOW + n * SECOND,
            scheduled=n > 3,
            finished_at=None if n in (1, 4) else NOW - n * SECOND,
            last_error=None if n else "é",
        )
        for n, id in enumerate(ids)
    ]


QUESTIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"name": "odd"}, [1, 3, 5]),
    ({"subject_id": UUID(int=1)}, [2, 3]),
    ({"subject_version": -1}, [1]),
    ({"scheduled": True}, [4, 5]),
    ({"due_at": NOW + SECOND}, [1]),
    ({"due_at": (NOW + SECOND).astimezone(timezone(timedelta(hours=-9)))}, [1]),
    ({"last_error": "é"}, [0]),
    ({"finished_at": None}, [1, 4]),
    ({"finished_at": Present()}, [0, 2, 3, 5]),
    ({"subject_version": AnyOf((0, 3, 99))}, [2, 5]),
    ({"subject_version": AnyOf((0, 0))}, [2]),
    ({"subject_version": AnyOf(())}, []),
    ({"last_error": AnyOf((None, "é"))}, [0]),
    ({"subject_id": AnyOf((UUID(int=0), UUID(int=2)))}, [0, 1, 4, 5]),
    ({"subject_version": Between(-1, 2)}, [1, 2, 3]),
    ({"subject_version": Between(at_least=2)}, [4, 5]),
    ({"subject_version": Between(below=-1)}, [0]),
    ({"due_at": Between(NOW + SECOND, NOW + 3 * SECOND)}, [1, 2]),
    ({"finished_at": Between(below=NOW)}, [2, 3, 5]),
    ({"finished_at": Between()}, [0, 2, 3, 5]),
    ({"name": "even", "scheduled": True, "finished_at": None}, [4]),
    ({"name": "even", "subject_version": Between(-2, 1), "finished_at": Present()}, [0, 2]),
]


async def test_rows_are_found_by_every_kind_of_question(backend: Backend, rows: Rows) -> None:
    stored = events(rows)
    await backend.insert("outbox", *stored)
    for asked, found in QUESTIONS:
        assert await backend.rows("outbox", **asked) == [stored[n] for n in found], asked
        assert await backend.store.count("outbox", asked) == len(found), asked


async def test_many_rows_are_counted_without_being_told(backend: Backend, rows: Rows) -> None:
    """More than a project shows at once, and by a list longer than an address."""
    users = [rows.row("users") for _ in range(1_203)]
    await backend.insert("users", *users)
    assert await backend.store.count("users", {}) == len(users)
    assert await backend.store.count("users", {"id": AnyOf(tuple(row["id"] for row in users[:700]))}) == 700
    assert await backend.store.count("users", {"email": "x" * 9_000}) == 0


async def test_spans_that_only_touch_do_not_overlap(backend: Backend, rows: Rows) -> None:
    await backend.commit(*rows.inserts("bookings"))
    for start, end, found in ((-60, 0, 0), (-60, 1, 1), (0, 60, 1), (59, 90, 1), (60, 90, 0), (-90, 90, 1)):
        span = Span(NOW + timedelta(minutes=start), NOW + timedelta(minutes=end))
        assert len(await backend.rows("bookings", blocked=Overlaps(span))) == found
    assert len(await backend.rows("bookings", span=HOUR)) == 1


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", ["id", "due_at", "name", "subject_version", "finished_at"])
async def test_pages_show_every_row_once_in_order(backend: Backend, rows: Rows, by: str, descending: bool) -> None:
    stored = events(rows)
    for row in stored[2:4]:
        row["due_at"] = NOW
    await backend.insert("outbox", *stored)

    def place(row: Row) -> Any:
        return (row[by] is None, row[by] if row[by] is not None else 0, row["id"])

    expected = sorted(stored, key=place, reverse=descending)
    order = Order(by, descending)
    assert await backend.store.load("outbox", {}, order=order) == expected
    for size in (1, 2, 4):
        seen: list[Row] = []
        while page := list(
            await backend.store.load(
                "outbox", {}, order=order, after=(seen[-1][by], seen[-1]["id"]) if seen else None, limit=size
            )
        ):
            assert len(page) <= size
            seen += page
        assert seen == expected


async def test_a_page_goes_on_where_it_ended_whatever_was_inserted_meanwhile(backend: Backend, rows: Rows) -> None:
    stored = events(rows)
    await backend.insert("outbox", *stored[:4])
    order = Order("due_at", descending=True)
    first = await backend.store.load("outbox", {}, order=order, limit=2)
    await backend.insert("outbox", *stored[4:])
    after = (first[-1]["due_at"], first[-1]["id"])
    second = await backend.store.load("outbox", {}, order=order, after=after, limit=5)
    assert [*first, *second] == [stored[n] for n in (3, 2, 1, 0)]


async def test_tallies_are_found_by_name(backend: Backend) -> None:
    await backend.commit(tallies=(Tally("seats:b", 2, 5), Tally("seats:a", 1)))
    a, b = {"name": "seats:a", "value": 1, "ceiling": None}, {"name": "seats:b", "value": 2, "ceiling": 5}
    assert await backend.rows("tallies") == [a, b]
    assert await backend.rows("tallies", name="seats:b") == [b]
    assert await backend.store.load("tallies", {}, after=("seats:a", "seats:a"), limit=1) == [b]


async def test_rows_are_copies_on_their_way_in_and_out(backend: Backend, rows: Rows) -> None:
    given = rows.row("outbox", payload={"list": [1]})
    await backend.insert("outbox", given)
    given["payload"]["list"].append(2)
    given["name"] = "other"
    first = (await backend.rows("outbox"))[0]
    first["payload"]["list"].append(3)
    first["name"] = "another"
    second = (await backend.rows("outbox"))[0]
    assert (second["payload"], second["name"]) == ({"list": [1]}, "booking.confirmed")


# --- Values -----------------------------------------------------------------------------------------------------------


EXTREMES: list[Row] = [
    {"subject_version": -(2**63), "attempts": 2**63 - 1},
    {"subject_version": 2**63 - 1, "position": 2**63 - 1},
    {"subject_id": UUID(int=0)},
    {"subject_id": UUID(int=2**128 - 1)},
    {"created_at": EARLIEST, "due_at": LATEST},
    {"created_at": LATEST - timedelta(microseconds=1), "due_at": EARLIEST + timedelta(microseconds=1)},
    {"created_at": datetime(2026, 3, 29, 2, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=14)))},
    {"name": ALL_PLANES, "actor": "", "last_error": " \t\r\n"},
    {"name": "\x01\x7f\u2028\ufeff", "actor": "'\"\\$1;--", "last_error": "x" * 100_000},
    {"payload": NESTED},
    {"payload": []},
    {"payload": [[[]], []]},
    {"payload": {}},
    {"payload": ALL_PLANES},
    {"payload": 0},
    {"payload": False},
    {"scheduled": True, "leased_until": None, "finished_at": EARLIEST, "dead_at": LATEST},
]


async def test_extreme_values_come_back_as_they_were(backend: Backend, rows: Rows) -> None:
    for told in EXTREMES:
        row = rows.row("outbox", **told)
        await backend.insert("outbox", row)
        (stored,) = await backend.rows("outbox", id=row["id"])
        assert stored == row
        for name, value in stored.items():
            assert isinstance(value, UUID) if isinstance(row[name], UUID) else type(value) is type(row[name]), name
            assert not isinstance(value, datetime) or value.utcoffset() == timedelta()
        asked = {name: value for name, value in told.items() if name != "payload"}
        assert await backend.rows("outbox", id=row["id"], **asked) == [row]


async def test_extreme_spans_come_back_as_they_were(backend: Backend, rows: Rows) -> None:
    least = Span(EARLIEST, EARLIEST + timedelta(microseconds=1))
    for span in (Span(EARLIEST, LATEST), least):
        booking = rows.inserts("bookings", span=span, blocked=Span(EARLIEST, LATEST), starts_at=EARLIEST)
        await backend.commit(*booking)
        assert (await backend.rows("bookings", id=booking[-1].row["id"]))[0]["span"] == span


async def test_json_nothing_and_an_empty_column_are_one(backend: Backend, rows: Rows) -> None:
    row = rows.row("receipts", answer=None)
    await backend.insert("receipts", row)
    assert await backend.rows("receipts", answer=None) == [row]


UNSTORABLE: list[tuple[str, Any]] = [
    ("name", "a\0b"),
    ("name", "\ud800"),
    ("name", "a\udfffb"),
    ("name", 1),
    ("name", b"bytes"),
    ("subject_version", 2**63),
    ("subject_version", -(2**63) - 1),
    ("subject_version", "many"),
    ("subject_version", 1.5),
    ("due_at", datetime(2026, 3, 2, 9, 0)),
    ("due_at", "2026-03-02T09:00:00Z"),
    ("scheduled", "yes"),
    ("subject_id", "no id"),
]


UNSTORABLE_IN_JSON: list[tuple[str, Any]] = [
    ("payload", {"a": ["b\0"]}),
    ("payload", {"a\0": 1}),
    ("payload", {"a": "\ud800"}),
    ("payload", {"a": [2**64]}),
    ("payload", {"a": object()}),
    ("payload", {1: "a"}),
]


async def test_what_no_store_can_hold_is_refused_by_all(backend: Backend, rows: Rows) -> None:
    stored = rows.row("outbox")
    await backend.insert("outbox", stored)
    for column, value in (*UNSTORABLE, *UNSTORABLE_IN_JSON):
        bad = Insert("outbox", rows.row("outbox", **{column: value}))
        bent = Update("outbox", {**stored, "version": 2, column: value}, 1)
        for write in (bad, bent):
            with pytest.raises(Invalid, match="cannot be stored"):
                await backend.commit(Insert("outbox", rows.row("outbox")), write)
        assert await backend.rows("outbox") == [stored], (column, value)


async def test_what_no_store_can_hold_is_not_asked_for_either(backend: Backend, rows: Rows) -> None:
    await backend.insert("outbox", rows.row("outbox"))
    for column, value in UNSTORABLE:
        for asked in ({column: value}, {column: AnyOf((value,))}, {column: Between(at_least=value)}):
            with pytest.raises(Invalid, match="cannot be stored"):
                await backend.rows("outbox", **asked)
        with pytest.raises(Invalid, match="cannot be stored"):
            await backend.store.load("outbox", {}, order=Order(column), after=(value, UUID(int=1)), limit=1)


# --- Committing -------------------------------------------------------------------------------------------------------


async def test_rows_are_inserted_updated_and_deleted_in_one_commit(backend: Backend, rows: Rows) -> None:
    one, two, three = (rows.row("outbox") for _ in range(3))
    await backend.insert("outbox", one, two)
    changed = {**one, "version": 2, "name": "changed", "payload": [1]}
    writes = (Insert("outbox", three), Update("outbox", changed, 1), Delete("outbox", two["id"], 1))
    assert await backend.store.commit(Changes(writes=writes)) == {}
    assert {row["id"]: row for row in await backend.rows("outbox")} == {one["id"]: changed, three["id"]: three}


async def test_a_commit_of_nothing_does_nothing(backend: Backend) -> None:
    assert await backend.store.commit(Changes()) == {}
    assert await backend.store.commit(Changes(locks=("provider:1",))) == {}


async def test_tables_are_written_in_the_order_of_their_references(backend: Backend, rows: Rows) -> None:
    writes = rows.inserts("reviews")
    await backend.commit(*reversed(writes))
    assert len(await backend.rows("reviews")) == 1
    await backend.commit(*(Delete(write.table, write.row["id"], 1) for write in writes))
    assert await backend.rows("users") == []


@pytest.mark.parametrize("stale", ["update", "delete", "missing update", "missing delete"])
async def test_a_stale_write_is_refused_and_nothing_is_written(backend: Backend, rows: Rows, stale: str) -> None:
    stored, fresh = rows.row("outbox", version=3), rows.row("outbox")
    await backend.insert("outbox", stored)
    missing = {**stored, "id": rows.id()}
    writes: dict[str, Write] = {
        "update": Update("outbox", {**stored, "version": 3, "name": "x"}, 2),
        "delete": Delete("outbox", stored["id"], 4),
        "missing update": Update("outbox", {**missing, "version": 4}, 3),
        "missing delete": Delete("outbox", missing["id"], 3),
    }
    with pytest.raises(StaleVersion):
        await backend.commit(Insert("outbox", fresh), writes[stale], tallies=(Tally("seats:x", 1),))
    assert await backend.rows("outbox") == [stored]
    assert await backend.rows("tallies") == []


async def test_of_many_updates_of_one_row_one_wins(backend: Backend, rows: Rows) -> None:
    row = rows.row("outbox")
    await backend.insert("outbox", row)
    writers = (backend.commit(Update("outbox", {**row, "version": 2, "attempts": n}, 1)) for n in range(20))
    won, refused = await races.gathered(*writers)
    assert (len(won), {type(refusal) for refusal in refused}) == (1, {StaleVersion})
    assert (await backend.rows("outbox"))[0]["version"] == 2


async def test_a_guard_refuses_what_has_changed_or_gone(backend: Backend, rows: Rows) -> None:
    guarded, event = rows.row("organizations", version=2), rows.row("outbox")
    await backend.insert("organizations", guarded)
    for stale in (Guard("organizations", guarded["id"], 1), Guard("organizations", rows.id(), 2)):
        with pytest.raises(StaleVersion):
            await backend.commit(Insert("outbox", event), guards=(Guard("organizations", guarded["id"], 2), stale))
        with pytest.raises(StaleVersion):
            await backend.commit(guards=(stale,))
    assert await backend.rows("outbox") == []
    await backend.commit(Insert("outbox", event), guards=(Guard("organizations", guarded["id"], 2),))
    assert await backend.rows("outbox") == [event]
    assert await backend.rows("organizations") == [guarded]


@pytest.mark.parametrize("lock", [False, True], ids=["on its row", "on a lock"])
async def test_a_guard_sees_what_was_decided_while_it_waited(postgres: Backend, lock: bool) -> None:
    await races.a_guard_sees_what_was_decided_before_it(postgres.store, postgres.url, lock=lock)


async def test_commits_that_guard_the_same_row_do_not_wait_for_each_other(postgres: Backend, rows: Rows) -> None:
    guarded = rows.row("organizations")
    await postgres.insert("organizations", guarded)
    async with connected(postgres.url) as other, other.transaction():
        await other.execute("select 1 from organizations where id = $1 for share", guarded["id"])
        guards = (Guard("organizations", guarded["id"], 1),)
        await asyncio.wait_for(postgres.commit(Insert("outbox", rows.row("outbox")), guards=guards), 5)


async def test_whoever_names_the_same_resource_comes_one_after_the_other(postgres: Backend, rows: Rows) -> None:
    event = Insert("outbox", rows.row("outbox"))
    async with connected(postgres.url) as other:
        change = other.transaction()
        await change.start()
        await other.execute("select pg_advisory_xact_lock(hashtextextended('provider:b', 0))")
        await asyncio.wait_for(postgres.commit(Insert("outbox", rows.row("outbox")), locks=("provider:a",)), 5)
        waiting = asyncio.ensure_future(postgres.commit(event, locks=("provider:c", "provider:b", "provider:a")))

        async def waits() -> bool:
            return bool(
                await other.fetchval("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            )

        await until(waits)
        assert not waiting.done()
        await change.commit()
    await asyncio.wait_for(waiting, 5)


async def test_locks_named_in_any_order_never_deadlock(postgres: Backend, rows: Rows) -> None:
    names = ("provider:a", "provider:b", "provider:c")
    orders = (names, names[::-1], (names[1], names[2], names[0]))
    _, refused = await races.gathered(
        *(postgres.commit(Insert("outbox", rows.row("outbox")), locks=orders[n % 3]) for n in range(60))
    )
    assert refused == []


# --- Tallies ----------------------------------------------------------------------------------------------------------


async def test_a_tally_counts_up_to_its_ceiling_and_no_further(backend: Backend, rows: Rows) -> None:
    assert await backend.commit(tallies=(Tally("seats:s", 1, 3),)) == {"seats:s": 1}
    assert await backend.commit(tallies=(Tally("seats:s", 2, 3),)) == {"seats:s": 3}
    with pytest.raises(SoldOut):
        await backend.commit(Insert("outbox", rows.row("outbox")), tallies=(Tally("seats:s", 1, 3),))
    with pytest.raises(SoldOut):
        await backend.commit(tallies=(Tally("seats:t", 4, 3),))
    assert await backend.rows("outbox") == []
    assert await backend.rows("tallies") == [{"name": "seats:s", "value": 3, "ceiling": 3}]


async def test_what_a_tally_gives_back_can_be_taken_again(backend: Backend) -> None:
    await backend.commit(tallies=(Tally("seats:s", 3, 3),))
    assert await backend.commit(tallies=(Tally("seats:s", -2),)) == {"seats:s": 1}
    assert await backend.rows("tallies") == [{"name": "seats:s", "value": 1, "ceiling": 3}]
    assert await backend.commit(tallies=(Tally("seats:s", 2, 3),)) == {"seats:s": 3}


async def test_a_ceiling_can_move_and_fall_away(backend: Backend) -> None:
    await backend.commit(tallies=(Tally("seats:s", 2, 2),))
    assert await backend.commit(tallies=(Tally("seats:s", 1, 5),)) == {"seats:s": 3}
    assert await backend.commit(tallies=(Tally("seats:s", 9),)) == {"seats:s": 12}
    with pytest.raises(SoldOut):
        await backend.commit(tallies=(Tally("seats:s", 1, 12),))


async def test_a_tally_never_falls_below_zero(backend: Backend) -> None:
    await backend.commit(tallies=(Tally("seats:s", 1, 3),))
    with pytest.raises(StaleVersion):
        await backend.commit(tallies=(Tally("seats:s", -2),))
    with pytest.raises(StaleVersion):
        await backend.commit(tallies=(Tally("seats:unknown", -1),))
    with pytest.raises(Invalid):
        await backend.commit(tallies=(Tally("seats:s", 2**63 - 1),))
    assert await backend.rows("tallies") == [{"name": "seats:s", "value": 1, "ceiling": 3}]


async def test_of_several_tallies_the_one_that_is_full_is_named(backend: Backend) -> None:
    await backend.commit(tallies=(Tally("quota:full", 1, 1), Tally("seats:full", 1, 1)))
    several = (Tally("quota:a", 1, 9), Tally("seats:full", -1), Tally("quota:full", 1, 1), Tally("quota:z", 1, 9))
    with pytest.raises(Conflict) as refused:
        await backend.commit(tallies=several)
    assert refused.value.details == {"series": "quota:full"}
    with pytest.raises(SoldOut):
        await backend.commit(tallies=(Tally("quota:a", 1, 9), Tally("seats:full", 1, 1)))
    moved = await backend.commit(tallies=(Tally("quota:a", 4, 9), Tally("seats:full", -1), Tally("x", 1)))
    assert moved == {"quota:a": 4, "seats:full": 0, "x": 1}


async def test_the_last_seats_go_to_as_many_as_there_are(backend: Backend) -> None:
    takers = (backend.commit(tallies=(Tally("seats:s", 1, 7),)) for _ in range(30))
    given, refused = await races.gathered(*takers)
    assert sorted(one["seats:s"] for one in given) == [1, 2, 3, 4, 5, 6, 7]
    assert {type(refusal) for refusal in refused} == {SoldOut}


async def test_a_hundred_writers_are_numbered_without_gaps(backend: Backend) -> None:
    await races.writers_number_without_gaps(backend.store)


async def test_a_number_of_a_refused_commit_is_given_to_the_next(backend: Backend, rows: Rows) -> None:
    first = rows.row("messages", sequence=0)
    await backend.commit(*rows.parents)
    number: dict[str, Any] = {"tallies": (Tally("messages:1", 1),)}
    numbers = {"sequence": "messages:1"}
    with pytest.raises(Violation):
        await backend.commit(Insert("messages", {**first, "text": ""}, numbers), **number)
    await backend.commit(Insert("messages", first, numbers), **number)
    plain = {**first, "id": rows.id(), "sequence": 2}
    second = {**first, "id": rows.id()}
    with pytest.raises(Duplicate):
        await backend.commit(Insert("messages", plain), Insert("messages", second, numbers), **number)
    stored = {row["id"]: row["sequence"] for row in await backend.rows("messages")}
    assert stored == {first["id"]: 1}


async def test_a_receipt_carries_the_number_that_was_given(backend: Backend, rows: Rows) -> None:
    message = rows.row("messages", sequence=0)
    await backend.commit(*rows.parents, tallies=(Tally("messages:1", 6),))
    receipt = rows.row("receipts", answer_table="messages", answer={"text": "Hello", "sequence": 0})
    numbers = {"sequence": "messages:1"}
    await backend.commit(
        Insert("messages", message, numbers), Insert("receipts", receipt, numbers), tallies=(Tally("messages:1", 1),)
    )
    assert (await backend.rows("receipts"))[0]["answer"] == {"text": "Hello", "sequence": 7}
    assert (await backend.rows("messages"))[0]["sequence"] == 7
    assert (message["sequence"], receipt["answer"]["sequence"]) == (0, 0)


# --- One time, one booking --------------------------------------------------------------------------------------------


async def test_two_bookings_never_share_a_providers_time(backend: Backend, rows: Rows) -> None:
    inserts = rows.inserts("bookings")
    await backend.commit(*inserts)
    first = inserts[-1].row
    half = Span(NOW + timedelta(minutes=30), LATER + timedelta(minutes=30))
    clash = rows.row("bookings", provider_id=first["provider_id"], span=half, blocked=half, starts_at=half.starts_at)
    seat = rows.row("bookings", provider_id=first["provider_id"], occupancy=first["occupancy"])
    idle = {**clash, **rows.row("bookings", provider_id=first["provider_id"], active=False, state="expired")}
    after = Span(LATER, LATER + timedelta(minutes=30))
    next_to_it = {**clash, "span": after, "blocked": after, "starts_at": LATER}
    with pytest.raises(SlotTaken):
        await backend.insert("bookings", clash)
    for row in (seat, idle, next_to_it):
        await backend.insert("bookings", row)
    with pytest.raises(SlotTaken):
        await backend.commit(Update("bookings", {**idle, "active": True, "state": "confirmed", "version": 2}, 1))


@pytest.mark.parametrize("turned", [False, True])
async def test_a_lapsed_hold_gives_its_time_to_the_booking_of_the_same_commit(
    backend: Backend, rows: Rows, turned: bool
) -> None:
    inserts = rows.inserts("bookings", state="held", paid=False, expires_at=LATER)
    await backend.commit(*inserts)
    hold = inserts[-1].row
    expired = Update("bookings", {**hold, "state": "expired", "active": False, "version": 2}, 1)
    booked = Insert("bookings", rows.row("bookings", provider_id=hold["provider_id"]))
    await backend.commit(*((booked, expired) if turned else (expired, booked)))
    assert sorted(row["state"] for row in await backend.rows("bookings")) == ["confirmed", "expired"]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_booking_moves_into_the_time_another_lets_go_in_the_same_commit(
    backend: Backend, rows: Rows, turned: bool
) -> None:
    leaving = rows.inserts("bookings")
    await backend.commit(*leaving)
    provider = leaving[-1].row["provider_id"]
    after = Span(LATER, LATER + timedelta(hours=1))
    moving = rows.row("bookings", provider_id=provider, span=after, blocked=after, starts_at=LATER)
    await backend.insert("bookings", moving)
    cancelled = {"state": "cancelled", "active": False, "cancelled_by": "customer", "cancelled_at": NOW, "version": 2}
    lets_go = Update("bookings", {**leaving[-1].row, **cancelled}, 1)
    moves = Update("bookings", {**moving, "span": HOUR, "blocked": HOUR, "starts_at": NOW, "version": 2}, 1)
    await backend.commit(*((moves, lets_go) if turned else (lets_go, moves)))
    assert [row["span"] for row in await backend.rows("bookings", active=True)] == [HOUR]


async def test_of_many_who_want_one_hour_one_gets_it(postgres: Backend) -> None:
    if postgres.name == SUPABASE:
        await races.one_slot_has_one_winner(postgres.url, lambda _: postgres.store)
    else:
        await races.one_slot_has_one_winner(postgres.url)


# --- Refusals ---------------------------------------------------------------------------------------------------------


async def test_constraints_refuse_in_the_words_of_the_business(backend: Backend, rows: Rows) -> None:
    inserts = rows.inserts("bookings")
    receipt, mail = rows.row("receipts"), rows.row("webhooks")
    await backend.commit(*inserts, Insert("receipts", receipt), Insert("webhooks", mail))
    booking, user = inserts[-1].row, _user_of(inserts)
    same_key = rows.row("receipts", key=receipt["key"])
    said = {
        "SlotTaken()": rows.row("bookings", provider_id=booking["provider_id"]),
        "StaleVersion()": rows.row("bookings", reference=booking["reference"], active=False, state="expired"),
        "EmailTaken()": rows.row("users", email=user["email"]),
        "AlreadyCommitted()": same_key,
        "DuplicateWebhook()": rows.row("webhooks", external_id=mail["external_id"]),
        "Violation(constraint=bookings_seats)": rows.row("bookings", seats=2),
        "Violation(constraint=bookings_job)": rows.row("bookings", job_id=rows.id()),
        "Violation(constraint=bookings_note_not_null)": rows.row("bookings", note=None),
        "Duplicate(constraint=users_pkey)": rows.row("users", id=booking["customer_id"]),
    }
    await backend.commit(*rows.parents)
    table = {"EmailTaken()": "users", "AlreadyCommitted()": "receipts", "DuplicateWebhook()": "webhooks"}
    for refusal, row in said.items():
        where = table.get(refusal, "users" if "users" in refusal else "bookings")
        assert await outcome(backend.insert(where, row)) == refusal


@pytest.mark.parametrize("refusal", [SlotTaken, EmailTaken, AlreadyCommitted, SoldOut, StaleVersion, Violation])
async def test_a_refused_commit_leaves_nothing(backend: Backend, rows: Rows, refusal: type[Exception]) -> None:
    inserts = rows.inserts("bookings")
    receipt = rows.row("receipts")
    await backend.commit(*inserts, Insert("receipts", receipt), tallies=(Tally("seats:full", 1, 1),))
    before = {table: await backend.rows(table) for table in ("users", "bookings", "receipts", "tallies")}
    booking, user = inserts[-1].row, _user_of(inserts)
    provider = booking["provider_id"]
    good = (
        *rows.inserts("users"),
        Insert("outbox", rows.row("outbox")),
        Insert("audit", rows.row("audit")),
        Insert("receipts", rows.row("receipts")),
        Update("users", {**user, "epoch": 9, "version": 2}, 1),
    )
    bad: dict[type[Exception], dict[str, Any]] = {
        SlotTaken: {"writes": (Insert("bookings", rows.row("bookings", provider_id=provider)),)},
        EmailTaken: {"writes": (Insert("users", rows.row("users", email=user["email"])),)},
        AlreadyCommitted: {"writes": (Insert("receipts", rows.row("receipts", key=receipt["key"])),)},
        SoldOut: {"tallies": (Tally("seats:full", 1, 1),)},
        StaleVersion: {"guards": (Guard("jobs", booking["job_id"], 7),)},
        Violation: {"writes": (Insert("sessions", rows.row("sessions", user_id=rows.id())),)},
    }
    rest = bad[refusal]
    writes = (*good, *rest.pop("writes", ()))
    tallies = (Tally("messages:1", 1), *rest.pop("tallies", ()))
    with pytest.raises(refusal):
        await backend.store.commit(Changes(writes=writes, tallies=tallies, **rest))
    assert {table: await backend.rows(table) for table in before} == before
    assert await backend.rows("outbox") == await backend.rows("audit") == []


def _user_of(inserts: list[Insert]) -> Row:
    return next(insert.row for insert in inserts if insert.table == "users")


async def test_rows_of_the_audit_stay_as_they_were_written(backend: Backend, rows: Rows) -> None:
    entry = rows.row("audit")
    await backend.insert("audit", entry)
    for change in ({"action": "other"}, {"details": {"a": 1}}, {"action": "other", "position": 1, "hash": "ab"}):
        with pytest.raises(Conflict, match="never changed or removed"):
            await backend.commit(Update("audit", {**entry, **change, "version": 2}, 1))
    with pytest.raises((Conflict, asyncpg.InsufficientPrivilegeError, PermissionError)):
        await backend.commit(Delete("audit", entry["id"], 1))
    with pytest.raises(Violation):
        await backend.commit(Update("audit", {**entry, "position": 1, "version": 2}, 1))
    assert await backend.rows("audit") == [entry]


async def test_an_audit_rows_place_is_filled_once(backend: Backend, rows: Rows) -> None:
    entry, other = rows.row("audit"), rows.row("audit")
    await backend.insert("audit", entry, other)
    sealed = {**entry, "position": 1, "hash": "ab", "version": 2}
    await backend.commit(Update("audit", sealed, 1))
    for change in ({"position": 2}, {"hash": "cd"}, {"position": None, "hash": None}, {}):
        with pytest.raises(Conflict):
            await backend.commit(Update("audit", {**sealed, **change, "version": 3}, 2))
    with pytest.raises(Duplicate):
        await backend.commit(Update("audit", {**other, "position": 1, "hash": "ef", "version": 2}, 1))
    assert await backend.rows("audit", position=Present()) == [sealed]


@pytest.mark.parametrize("table", ["ledger", "security_events", "audit"])
async def test_not_even_the_owner_rewrites_what_is_append_only(postgres: Backend, rows: Rows, table: str) -> None:
    await postgres.commit(*rows.inserts(table))
    async with connected(postgres.url) as owner:
        for statement in (f"update {table} set id = gen_random_uuid()", f"delete from {table}"):
            with pytest.raises(Exception, match=r"never changed or removed|is filled once") as refused:
                await owner.execute(statement)
            assert getattr(refused.value, "sqlstate", "") == "GH002"
