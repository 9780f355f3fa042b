"""A town that was lived in: the demo town, and after it what its people did with money, words, sessions and links."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.persistence.schema.tables import Row
from adapters.simulated_gateway import signed
from application.audit import SealAudit
from application.billing import NewPurchase, OpenCheckout, RefreshCatalog, RequestPurchase
from application.bookings import (
    BookSlot,
    CancelBooking,
    Cancellation,
    DeclineBooking,
    Declining,
    RescheduleBooking,
    Rescheduling,
    Reservation,
)
from application.files import CompleteUpload, ReceiveContent, RequestUpload, Upload
from application.identity import (
    Address,
    Authenticate,
    ChangePassword,
    ConsumeMagicLink,
    ForgotPassword,
    Link,
    PasswordChange,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    RequestMagicLink,
    SignIn,
    SignOut,
)
from application.invoicing import (
    AcceptQuote,
    BuyerDraft,
    Crediting,
    CreditInvoice,
    DraftQuote,
    IssueInvoice,
    LineDraft,
    PayInvoice,
    QuoteDraft,
    Receipt,
    RecordReceipt,
    SendQuote,
)
from application.jobs import JobRevision, ReviseJob
from application.messaging import MarkRead, Reading, SendMessage, Words
from application.organizations import AcceptInvitation, InvitationLink, InviteMember, NewInvitation
from application.payments import (
    EvidenceDraft,
    GetCheckout,
    PrepareEvidence,
    ReceiveWebhook,
    RefreshPayment,
    RefundPayment,
    Repayment,
    SealLedger,
    SubmitEvidence,
)
from application.profiles import ProfileChanges, UpdateProfile
from application.reviews import HideReview, Moderation
from application.scheduling import ListFreeSlots, SlotSearch
from domain.files import Bucket
from domain.identity import Purpose
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Kind, Role
from domain.shared.ids import FileId, OneTimeTokenId
from entrypoints.cli.demo_people import PASSWORD
from entrypoints.cli.demo_town import found_town
from entrypoints.container import OpenHouse
from tests.cli.conftest import opened
from tests.support.issuers import SECRET, secretly, supabase_claims
from tests.support.pictures import in_pieces, photo

OPERATOR = Actor(kind=Kind.OPERATOR, name="tests")
Tables = dict[str, dict[Any, Row]]


async def lived_in(house: OpenHouse) -> None:
    """Everything a rule speaks of happens at least once."""
    use, clock, store = house.use, house.container.clock(), house.container.store()
    await found_town(house)
    await _quiet(house)
    await _at_the_door(house)
    paid = next(row for row in store.tables["bookings"].rows.values() if row["paid"])
    customer = Actor(user_id=paid["customer_id"])
    await use(RefundPayment)(OPERATOR, paid["payment_id"], Repayment(amount_minor=100))
    await _quiet(house)
    await use(CancelBooking)(customer, paid["id"], Cancellation(reason="it rains"))
    asked = next(row for row in store.tables["bookings"].rows.values() if row["state"] == "requested")
    await use(DeclineBooking)(Actor(user_id=asked["provider_id"]), asked["id"], Declining(reason="full"))
    await _moved(house)
    await _invoiced(house)
    await _shown(house)
    await _grown(house)
    await _disputed(house)
    held = next(row for row in store.tables["bookings"].rows.values() if row["state"] == "held")
    assert held["expires_at"]
    message = next(iter(store.tables["messages"].rows.values()))
    await use(MarkRead)(Actor(user_id=message["sender_id"]), message["conversation_id"], Reading(sequence=9))
    review = next(row for row in store.tables["reviews"].rows.values() if row["side"] == "customer")
    await use(HideReview)(OPERATOR, review["id"], Moderation(reason="rude"))
    await _quiet(house)
    clock.advance(timedelta(hours=1))
    await _quiet(house)
    for seal in (SealAudit, SealLedger):
        while await use(seal)():
            pass


async def _quiet(house: OpenHouse) -> None:
    await house.container.deliver().all()


async def _at_the_door(house: OpenHouse) -> None:
    use, clock = house.use, house.container.clock()
    first = await use(SignIn)(ANONYMOUS, PasswordSignIn(email="ana@town.example", password=PASSWORD))
    second = await use(SignIn)(ANONYMOUS, PasswordSignIn(email="ana@town.example", password=PASSWORD))
    await use(RefreshSession)(ANONYMOUS, Renewal(refresh_token=first.refresh_token))
    ana = await use(Authenticate)(second.access_token)
    change = PasswordChange(current_password=PASSWORD, new_password=f"{PASSWORD} again")
    await use(ChangePassword)(ana, change)
    third = await use(SignIn)(ANONYMOUS, PasswordSignIn(email="ben@town.example", password=PASSWORD))
    await use(SignOut)(await use(Authenticate)(third.access_token))
    await use(SignIn)(ANONYMOUS, PasswordSignIn(email="ben@town.example", password=PASSWORD))
    await use(ForgotPassword)(ANONYMOUS, Address(email="nobody@town.example"))
    await use(RequestMagicLink)(ANONYMOUS, Address(email="ben@town.example"))
    links = house.container.store().tables["one_time_tokens"].rows.values()
    link = next(row for row in links if row["purpose"] == Purpose.MAGIC_LINK)
    secret = house.container.one_time_secrets().secret(OneTimeTokenId(link["id"]))
    clock.advance(timedelta(minutes=1))
    await use(ConsumeMagicLink)(ANONYMOUS, Link(token=secret))
    await use(Authenticate)(secretly(supabase_claims(clock.now())))


async def _invoiced(house: OpenHouse) -> None:
    """A quote is accepted and becomes an invoice; one is paid at the gateway, in part by hand, and credited."""
    use, clock = house.use, house.container.clock()
    organization_id = next(iter(house.container.store().tables["organizations"].rows))
    buyer = BuyerDraft(name="Ana", email="ana@town.example")
    lines = (LineDraft(description="Tuning", unit_price_minor=5000, tax_basis_points=2300),)
    draft = {"organization_id": organization_id, "buyer": buyer, "currency": "EUR", "lines": lines}
    quote = await use(DraftQuote)(OPERATOR, QuoteDraft(**draft))
    await use(SendQuote)(OPERATOR, quote.id)
    await use(AcceptQuote)(OPERATOR, quote.id)
    await _quiet(house)
    accepted = house.container.store().tables["quotes"].rows[quote.id]
    await use(IssueInvoice)(OPERATOR, accepted["invoice_id"])
    await use(RecordReceipt)(OPERATOR, accepted["invoice_id"], Receipt(amount_minor=1000, reason="cash"))
    payment = await use(PayInvoice)(OPERATOR, accepted["invoice_id"])
    await _quiet(house)
    checkout = await use(GetCheckout)(OPERATOR, payment.id)
    assert checkout.gateway_ref
    assert checkout.client_secret
    await house.container.gateway().confirm(checkout.gateway_ref, checkout.client_secret, "ok")
    await use(RefreshPayment)(OPERATOR, payment.id)
    await _quiet(house)
    part = LineDraft(description="A string broke", unit_price_minor=1000, tax_basis_points=2300)
    await use(CreditInvoice)(OPERATOR, accepted["invoice_id"], Crediting(reason="a string broke", lines=(part,)))
    await _quiet(house)
    clock.advance(timedelta(minutes=1))


async def _moved(house: OpenHouse) -> None:
    """Somebody books what is paid later, and moves it."""
    use, clock = house.use, house.container.clock()
    jobs = house.container.store().tables["jobs"].rows.values()
    job = next(row for row in jobs if (row["terms"], row["capacity"], row["acceptance"]) == ("later", 1, "instant"))
    today = clock.now().date()
    found = await use(ListFreeSlots)(SYSTEM, job["id"], SlotSearch(first=today, last=today + timedelta(days=14)))
    starts: list[datetime] = [slot.starts_at for slot in found.slots]
    users = house.container.store().tables["users"].rows.values()
    ben = Actor(user_id=next(row["id"] for row in users if row["email"] == "ben@town.example"))
    booking = await use(BookSlot)(ben, Reservation(job_id=job["id"], starts_at=starts[-1]))
    await use(RescheduleBooking)(ben, booking.id, Rescheduling(starts_at=starts[-9]))


async def _shown(house: OpenHouse) -> None:
    """Ben shows himself, and then another picture; a provider shows a job; somebody attaches a file to a message."""
    tables = house.container.store().tables
    ben = next(row["id"] for row in tables["users"].rows.values() if row["email"] == "ben@town.example")
    for _ in range(2):
        face = await _uploaded(house, Actor(user_id=ben), Bucket.AVATARS)
        await house.use(UpdateProfile)(Actor(user_id=ben), ProfileChanges(avatar_id=str(face)))
    job = next(row for row in tables["jobs"].rows.values() if row["state"] == "published")
    provider = Actor(user_id=job["provider_id"], role=Role.PROVIDER)
    pictures = (await _uploaded(house, provider, Bucket.JOB_PICTURES),)
    await house.use(ReviseJob)(provider, job["id"], JobRevision(pictures=pictures))
    message = next(iter(tables["messages"].rows.values()))
    sender = Actor(user_id=message["sender_id"])
    attachments = (await _uploaded(house, sender, Bucket.ATTACHMENTS),)
    await house.use(SendMessage)(sender, message["conversation_id"], Words(text="Look", attachments=attachments))
    await _quiet(house)


async def _uploaded(house: OpenHouse, actor: Actor, bucket: Bucket) -> FileId:
    use, content = house.use, photo(40, 30)
    upload = Upload(bucket=bucket, name="photo.jpg", content_type="image/jpeg", size=len(content))
    file = await use(RequestUpload)(actor, upload)
    await use(ReceiveContent)(actor, file.id, in_pieces(content))
    return (await use(CompleteUpload)(actor, file.id)).id


async def _grown(house: OpenHouse) -> None:
    """Somebody is invited and joins, and somebody buys a plan and owns a business."""
    use, container, tables = house.use, house.container, house.container.store().tables
    owner = next(row for row in tables["memberships"].rows.values() if row["role"] == "owner")
    asker = Actor(user_id=owner["user_id"], role=Role.PROVIDER)
    sent = await use(InviteMember)(asker, owner["organization_id"], NewInvitation(email="ben@town.example"))
    token = container.one_time_secrets().secret(OneTimeTokenId(sent.id))
    await use(AcceptInvitation)(ANONYMOUS, InvitationLink(token=token))
    await use(RefreshCatalog)(SYSTEM)
    new = NewPurchase(price="solo_month_eur", email="dora@town.example", organization_name="Dora's")
    purchase = await use(RequestPurchase)(ANONYMOUS, new)
    opened_ = await use(OpenCheckout)(ANONYMOUS, purchase.id)
    await container.billing().show_card(opened_.gateway_ref, "ok")
    await _heard(house)


async def _disputed(house: OpenHouse) -> None:
    """A bank warns of a payment, disputes it, is answered, and decides for us."""
    use, container, store = house.use, house.container, house.container.store()
    paid = (row for row in store.tables["payments"].rows.values() if row["captured_minor"] > 1000 and row["booking_id"])
    one = next(paid)
    desk = container.dispute_desk()
    await desk.warn(one["gateway_ref"])
    ref = await desk.dispute(one["gateway_ref"], amount=500)
    await _heard(house)
    dispute = next(row for row in store.tables["disputes"].rows.values() if row["gateway_ref"] == ref)
    await use(PrepareEvidence)(OPERATOR, dispute["id"], EvidenceDraft(explanation="They came, and thanked us."))
    await use(SubmitEvidence)(OPERATOR, dispute["id"])
    await _quiet(house)
    await desk.decide(ref, won=True)
    await _heard(house)


async def _heard(house: OpenHouse) -> None:
    """What the gateway has to tell of plans and disputes is told."""
    container = house.container
    for row in container.simulated_books().read("select body from deliveries where body like '%thing%'"):
        raw = row["body"].encode()
        headers = {"simulated-signature": signed(raw, container.secret(), container.clock().now())}
        await house.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
    await _quiet(house)


def town_rows(folder: Path) -> tuple[Tables, datetime]:
    """The rows of such a town, and its present."""
    accepting: dict[str, Any] = {"accept_tokens_of": ("supabase",), "supabase_url": "https://project.supabase.example"}
    house = opened(folder, **accepting, supabase_jwt_secret=SECRET)
    asyncio.run(lived_in(house))
    store = house.container.store()
    return {name: dict(table.rows) for name, table in store.tables.items()}, house.container.clock().now()


@dataclass
class Town:
    """Rows to spoil: what is changed is remembered, so that the same can be done to a database."""

    tables: Tables
    now: datetime
    changes: list[tuple[str, Row | None, Row | None]] = field(default_factory=list)

    def some(self, table: str, where: Callable[[Row], bool] = lambda _: True) -> Row:
        """A row like that, the same every time."""
        rows = sorted((row for row in self.tables[table].values() if where(row)), key=lambda row: str(_key(row)))
        assert rows, f"nothing like that in {table}"
        return rows[0]

    def set(self, table: str, was: Row, **columns: Any) -> Row:
        """Change a row past every guard."""
        row = {**deepcopy(was), **columns}
        return self._put(table, was, row)

    def add(self, table: str, like: Row, **columns: Any) -> Row:
        """One more row, like another but for these columns."""
        key = {} if "name" in like and "id" not in like else {"id": UUID(int=len(self.changes) + 1)}
        return self._put(table, None, {**deepcopy(like), **key, **columns})

    def remove(self, table: str, was: Row) -> None:
        """Take a row away past every guard."""
        del self.tables[table][_key(was)]
        self.changes.append((table, was, None))

    def _put(self, table: str, was: Row | None, row: Row) -> Row:
        if was is not None:
            del self.tables[table][_key(was)]
        self.tables[table][_key(row)] = row
        self.changes.append((table, was, row))
        return row


def _key(row: Row) -> Any:
    return row["id"] if "id" in row else row["name"]
