"""Readers over every store: pages, single rows, views with what stands beside, and what belongs to the house."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.busy import StoredBusyTimes
from adapters.persistence.readers import StoredReaders
from adapters.persistence.schema import VIEWS, columns_of
from adapters.persistence.schema.tables import Row
from adapters.persistence.shown import private
from adapters.persistence.store import Insert, Update
from application.ports.criteria import AnyOf, Between, Order, Overlaps, Position, Present
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.errors import Invalid, NotFound
from domain.shared.ids import OrganizationId, SessionId, UserId
from domain.shared.money import Money
from domain.shared.time import Span
from tests.contracts.rows import HOUR, LATER, Rows
from tests.contracts.stores import NOW, Backend, backend, in_memory, postgres

__all__ = ["backend", "postgres"]

OPERATOR = Actor(kind=Kind.OPERATOR, name="console")


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """An organization, as a reader shows it."""

    source: ClassVar[str] = "organizations"
    id: OrganizationId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A notification, with a column that may be empty."""

    source: ClassVar[str] = "notifications"
    id: UUID
    title: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A booking, with a value of every kind."""

    source: ClassVar[str] = "bookings"
    id: UUID
    span: Span
    price: Money
    refund: Money | None
    policy: dict[str, Any]
    paid: bool


async def test_pages_end_where_the_next_begins(backend: Backend) -> None:
    rows, readers = Rows(), StoredReaders(backend.views)
    firms = [rows.row("organizations", created_at=NOW + timedelta(minutes=n // 2)) for n in range(7)]
    await backend.insert("organizations", *firms)
    for descending in (False, True):
        expected = sorted(firms, key=lambda row: (row["created_at"], row["id"]), reverse=descending)
        seen: list[Firm] = []
        after: Position | None = None
        sizes = []
        while True:
            page = await readers.page(ANONYMOUS, Firm, {}, order=Order("created_at", descending), after=after, limit=3)
            seen += page.items
            sizes.append(len(page.items))
            after = page.next
            if after is None:
                break
        assert sizes == [3, 3, 1]
        assert [firm.id for firm in seen] == [row["id"] for row in expected]


async def test_a_page_that_is_just_full_is_the_last(backend: Backend) -> None:
    rows, readers = Rows(), StoredReaders(backend.views)
    await backend.insert("organizations", *(rows.row("organizations") for _ in range(3)))
    page = await readers.page(ANONYMOUS, Firm, {}, order=Order(), limit=3)
    assert (len(page.items), page.next) == (3, None)


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_by_a_column_that_may_be_empty_lose_nothing(backend: Backend, descending: bool) -> None:
    rows, readers = Rows(), StoredReaders(backend.views)
    first = rows.row("notifications")
    notes = [{**first, "id": rows.id(), "read_at": NOW + timedelta(minutes=n) if n % 2 else None} for n in range(7)]
    await backend.commit(*rows.parents, *(Insert("notifications", note) for note in notes))
    reader = Actor(user_id=UserId(first["user_id"]))
    for size in (1, 2, 3):
        seen: list[UUID] = []
        after: Position | None = None
        while True:
            order = Order("read_at", descending)
            page = await readers.page(reader, Note, {}, order=order, after=after, limit=size)
            seen += [note.id for note in page.items]
            after = page.next
            if after is None:
                break
        ordered = sorted(notes, key=lambda n: (n["read_at"] is None, n["read_at"] or NOW, n["id"]), reverse=descending)
        assert seen == [note["id"] for note in ordered]


async def test_a_row_is_shown_as_its_view_says(backend: Backend) -> None:
    rows = Rows()
    inserts = rows.inserts("bookings", policy={"tiers": [{"hours_before": 24, "refund_percent": 50}]})
    await backend.commit(*inserts)
    booking = inserts[-1].row
    customer = Actor(user_id=UserId(booking["customer_id"]))
    stay = await StoredReaders(backend.views).one(customer, Stay, booking["id"])
    assert stay == Stay(
        id=booking["id"],
        span=HOUR,
        price=Money(4500, "EUR"),
        refund=None,
        policy={"tiers": [{"hours_before": 24, "refund_percent": 50}]},
        paid=True,
    )


async def test_what_readers_hand_out_is_a_copy(backend: Backend) -> None:
    rows = Rows()
    inserts = rows.inserts("bookings", policy={"tiers": [1]})
    await backend.commit(*inserts)
    for _ in range(2):
        columns = ["id", "policy"]
        (row,) = await backend.views.rows(SYSTEM, "bookings", columns, {}, order=Order(), after=None, limit=1)
        assert row["policy"] == {"tiers": [1]}
        row["policy"]["tiers"].append(2)


async def test_what_is_hidden_and_what_is_not_there_are_told_apart_by_nobody(backend: Backend) -> None:
    rows, readers = Rows(), StoredReaders(backend.views)
    inserts = rows.inserts("bookings")
    await backend.commit(*inserts)
    booking = inserts[-1].row
    stranger = Actor(user_id=UserId(rows.id()), role=Role.PROVIDER)
    said = set()
    for actor, id in ((stranger, booking["id"]), (stranger, rows.id()), (ANONYMOUS, booking["id"])):
        with pytest.raises(NotFound) as refused:
            await readers.one(actor, Stay, id)
        said.add((refused.value.message, *refused.value.details.keys()))
    assert len(said) == 1
    for actor in (SYSTEM, OPERATOR):
        assert (await readers.one(actor, Stay, booking["id"])).id == booking["id"]


async def test_a_claim_to_be_admin_shows_nothing_the_stored_user_is_not(backend: Backend) -> None:
    rows, readers = Rows(), StoredReaders(backend.views)
    inserts = rows.inserts("bookings")
    admin, suspended = rows.row("users", role="admin"), rows.row("users", role="admin", suspended_at=NOW)
    await backend.commit(*inserts, Insert("users", admin), Insert("users", suspended))
    for user, sees in ((admin, 1), (suspended, 0), (inserts[0].row, 0)):
        actor = Actor(user_id=UserId(user["id"]), role=Role.ADMIN)
        page = await readers.page(actor, Stay, {}, order=Order(), limit=5)
        assert len(page.items) == sees


@pytest.mark.parametrize(
    "criteria",
    [
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"name": AnyOf(("fine", "a\0b"))},
        {"version": 2**63},
        {"created_at": datetime(2026, 3, 2)},
        {"created_at": Between(below=datetime(2026, 3, 2))},
    ],
    ids=ascii,
)
async def test_questions_no_store_can_understand_are_refused_by_all(backend: Backend, criteria: dict[str, Any]) -> None:
    readers = StoredReaders(backend.views)
    for actor in (ANONYMOUS, Actor(user_id=UserId(UUID(int=1))), SYSTEM):
        with pytest.raises(Invalid, match="cannot be stored"):
            await readers.page(actor, Firm, criteria, order=Order(), limit=1)


@pytest.fixture
async def twins(postgres: Backend) -> tuple[Backend, Backend]:
    """Memory and PostgreSQL with the same town in them."""
    memory = in_memory()
    for each in (memory, postgres):
        await _settle(each)
    return memory, postgres


@pytest.mark.parametrize("source", VIEWS)
async def test_views_show_the_same_on_every_store(twins: tuple[Backend, Backend], source: str) -> None:
    memory, _ = twins
    people = [row["id"] for row in await memory.rows("users")]
    actors = [ANONYMOUS, SYSTEM, OPERATOR, *(Actor(user_id=UserId(id)) for id in people)]
    shown = 0
    for actor in actors:
        house = actor in (SYSTEM, OPERATOR)
        columns = [name for name in columns_of(source) if house or name not in private(source)]
        for order in (Order(name, descending) for name in columns for descending in (False, True)):
            if columns_of(source)[order.by].type == "jsonb":
                continue
            one, other = [await _all(each, actor, source, columns, order) for each in twins]
            assert one == other, (actor, order)
            shown += len(one)
    assert shown


@pytest.mark.parametrize(
    ("source", "criteria"),
    [
        ("inbox", {"last_sent_at": Present()}),
        ("inbox", {"last_sequence": None}),
        ("inbox", {"last_sequence": AnyOf((1, 2))}),
        ("inbox", {"last_sent_at": Between(at_least=NOW + timedelta(minutes=2))}),
        ("job_listings", {"rating_average": Between(at_least=450)}),
        ("job_listings", {"provider_name": "Vera", "state": "published"}),
        ("members", {"solo": False, "name": Present()}),
        ("review_cards", {"job_title": None}),
    ],
    ids=str,
)
async def test_views_are_asked_by_what_stands_beside(
    twins: tuple[Backend, Backend], source: str, criteria: dict[str, Any]
) -> None:
    columns = list(columns_of(source))
    one, other = [
        await each.views.rows(SYSTEM, source, columns, criteria, order=Order(), after=None, limit=50) for each in twins
    ]
    assert list(one) == list(other)
    assert source == "review_cards" or one


async def test_busy_is_what_overlaps_and_still_stands(backend: Backend) -> None:
    rows = Rows()
    booked = rows.row("bookings", seats=2, capacity=4)
    provider = {"provider_id": booked["provider_id"]}

    def at(hours: int, **told: Any) -> Row:
        span = Span(NOW + timedelta(hours=hours), NOW + timedelta(hours=hours + 1))
        return rows.row("bookings", **{**provider, "span": span, "blocked": span, "starts_at": span.starts_at, **told})

    held = {"state": "held", "paid": False, "confirmed_at": None}
    fresh = at(1, **held, expires_at=LATER)
    lapsed = at(2, **held, expires_at=NOW)
    over = at(3, state="cancelled", active=False, cancelled_by="customer", cancelled_at=NOW)
    touching = at(4)
    others = rows.row("bookings")
    inserts = [Insert("bookings", row) for row in (booked, fresh, lapsed, over, touching, others)]
    await backend.commit(*rows.parents, *inserts)
    found = await StoredBusyTimes(backend.views).busy(
        UserId(booked["provider_id"]), Span(NOW, NOW + timedelta(hours=4)), NOW
    )
    assert {busy.occupancy for busy in found} == {booked["id"], fresh["id"]}
    (session,) = [busy for busy in found if busy.occupancy == booked["id"]]
    assert (session.blocked, session.starts_at, session.seats) == (HOUR, NOW, 2)


async def test_an_account_is_as_its_user_is_now(backend: Backend) -> None:
    rows, accounts = Rows(), StoredAccounts(backend.views)
    inserts = rows.inserts("sessions")
    await backend.commit(*inserts)
    session, user = inserts[-1].row, inserts[0].row
    ids = UserId(user["id"]), SessionId(session["id"])
    state = await accounts.account(*ids)
    assert (state.role, state.verified, state.suspended, state.revoked) == (Role.CUSTOMER, False, False, False)
    changed = {**user, "role": "admin", "email_verified_at": NOW, "suspended_at": NOW, "version": 2}
    await backend.commit(Update("users", changed, 1))
    state = await accounts.account(*ids)
    assert (state.role, state.verified, state.suspended, state.revoked) == (Role.ADMIN, True, True, False)
    await backend.commit(Update("users", {**changed, "epoch": 2, "version": 3}, 2))
    assert (await accounts.account(*ids)).revoked
    for other in ((UserId(rows.id()), ids[1]), (ids[0], SessionId(rows.id()))):
        assert (await accounts.account(*other)).revoked


async def _all(backend: Backend, actor: Actor, source: str, columns: list[str], order: Order) -> list[Row]:
    """Every row of a source, three at a time."""
    seen: list[Row] = []
    after: Position | None = None
    while True:
        rows = list(await backend.views.rows(actor, source, columns, {}, order=order, after=after, limit=3))
        seen += rows
        if len(rows) < 3:
            return seen
        after = (rows[-1][order.by], rows[-1]["id"])


async def _settle(backend: Backend) -> None:
    """A town: a provider with a firm, her jobs, a customer, what they booked, said and reviewed."""
    rows = Rows("town")
    vera, ann, bob = (rows.row("users", role=role) for role in ("provider", "customer", "admin"))
    writes = [Insert("users", user) for user in (vera, ann, bob)]
    writes += [
        Insert("external_identities", rows.row("external_identities", user_id=user["id"])) for user in (ann, bob)
    ]
    for user, name in ((vera, "Vera"), (ann, "Ann")):
        writes.append(Insert("profiles", rows.row("profiles", id=user["id"], name=name)))
    firm = rows.row("organizations")
    writes.append(Insert("organizations", firm))
    for user, role in ((vera, "owner"), (bob, "member")):
        told = {"organization_id": firm["id"], "user_id": user["id"], "role": role}
        writes.append(Insert("memberships", rows.row("memberships", **told)))
    writes.append(Insert("invoices", rows.row("invoices", organization_id=firm["id"])))
    offers = []
    for n, state in enumerate(("published", "published", "archived", "draft")):
        told = {"organization_id": firm["id"], "provider_id": vera["id"], "state": state}
        offers.append(rows.row("jobs", **told, published_at=None if state == "draft" else NOW + n * timedelta(days=1)))
        writes.append(Insert("jobs", offers[-1]))
        if n != 1:
            told = {"id": offers[-1]["id"], "provider_id": vera["id"], "average_hundredths": 400 + n * 50}
            writes.append(Insert("ratings", rows.row("ratings", **told)))
    parties = {"provider_id": vera["id"], "customer_id": ann["id"], "organization_id": firm["id"]}
    for n, offer in enumerate(offers[:3]):
        span = Span(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1))
        times = {"span": span, "blocked": span, "starts_at": span.starts_at}
        booking = rows.row("bookings", **parties, **times, job_id=offer["id"])
        author = {"author_id": ann["id"], "reviewed_id": vera["id"], "state": ("published", "hidden", "published")[n]}
        review = rows.row(
            "reviews",
            **{key: parties[key] for key in ("provider_id", "customer_id")},
            **author,
            booking_id=booking["id"],
            job_id=offer["id"],
        )
        talk = rows.row("conversations", kind="booking", pair=None, booking_id=booking["id"], created_by=ann["id"])
        writes += [Insert("bookings", booking), Insert("reviews", review), Insert("conversations", talk)]
        for user in (ann, vera):
            seat = rows.row("participants", conversation_id=talk["id"], user_id=user["id"])
            writes.append(Insert("participants", seat))
            for sequence in range(1, n + 1):
                number = 2 * sequence - (user is ann)
                told = {"conversation_id": talk["id"], "participant_id": seat["id"], "sender_id": user["id"]}
                sent = {"sequence": number, "sent_at": NOW + timedelta(minutes=number)}
                writes.append(Insert("messages", rows.row("messages", **told, **sent)))
    for n in range(2):
        epoch = {"epoch": n + 1, "user_id": ann["id"]}
        writes.append(Insert("sessions", rows.row("sessions", **epoch)))
    rows.parents.clear()
    await backend.commit(*writes)
    assert await backend.rows("bookings", blocked=Overlaps(HOUR))
