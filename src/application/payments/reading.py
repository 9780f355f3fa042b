"""Looking things up: payments, refunds and the ledger, as far as the asker may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from application.inputs import submitted
from application.ports.criteria import Order, Position
from application.ports.readers import Page, Readers
from domain.payments import Books, PaymentState, RefundState, SourceKind
from domain.shared.actors import Actor, Kind
from domain.shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from domain.shared.ids import BookingId, InvoiceId, LedgerEntryId, OrganizationId, PaymentId, RefundId, UserId
from domain.shared.money import Money

_NEWEST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as its customer and the organization's managers see it."""

    source: ClassVar[str] = "payments"
    id: PaymentId
    version: int
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    customer_id: UserId | None
    organization_id: OrganizationId
    amount: Money
    captured: Money
    refunding: Money
    refunded: Money
    disputed: Money
    open_disputes: int
    state: PaymentState
    capture_later: bool
    capturing: Money | None
    authorised_until: datetime | None
    attempt: int
    gateway: str
    failure: str
    created_at: datetime
    captured_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as its customer and the organization's managers see it."""

    source: ClassVar[str] = "refunds"
    id: RefundId
    version: int
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    amount: Money
    state: RefundState
    reason: str
    failure: str
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntryView:
    """One side of one movement of money; the sides of a transaction sum to zero."""

    source: ClassVar[str] = "ledger"
    id: LedgerEntryId
    transaction_id: UUID
    books: Books
    account: str
    amount: Money
    source_kind: SourceKind
    source_id: str
    payment_id: PaymentId | None
    booking_id: BookingId | None
    invoice_id: InvoiceId | None
    created_at: datetime
    position: int | None


@submitted
class PaymentFilter:
    """Which payments to list; everything left out matches all."""

    booking_id: BookingId | None = None
    """Only those of this booking."""

    invoice_id: InvoiceId | None = None
    """Only those of this invoice."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""

    state: PaymentState | None = None
    """Only those that stand like this."""


@submitted
class RefundFilter:
    """Which refunds to list; everything left out matches all."""

    payment_id: PaymentId | None = None
    """Only those of this payment."""

    booking_id: BookingId | None = None
    """Only those of this booking."""

    invoice_id: InvoiceId | None = None
    """Only those of this invoice."""

    state: RefundState | None = None
    """Only those that stand like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPayment:
    """How a payment stands: what was asked for, what was captured, what went back."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    readers: Readers

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> PaymentView:
        known(actor)
        return await self.readers.one(actor, PaymentView, payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPayments:
    """Your payments and those of organizations you manage, the newest first."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(
        self, actor: Actor, filter: PaymentFilter = PaymentFilter(), *, after: Position | None = None, limit: int
    ) -> Page[PaymentView]:
        known(actor)
        where = given(
            booking_id=filter.booking_id,
            invoice_id=filter.invoice_id,
            organization_id=filter.organization_id,
            state=filter.state,
        )
        return await self.readers.page(actor, PaymentView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRefunds:
    """Refunds to you and those of organizations you manage, the newest first."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)
    readers: Readers

    async def __call__(
        self, actor: Actor, filter: RefundFilter = RefundFilter(), *, after: Position | None = None, limit: int
    ) -> Page[RefundView]:
        known(actor)
        where = given(
            payment_id=filter.payment_id,
            booking_id=filter.booking_id,
            invoice_id=filter.invoice_id,
            state=filter.state,
        )
        return await self.readers.page(actor, RefundView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLedger:
    """The books, the newest entries first; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(
        self, actor: Actor, *, payment_id: PaymentId | None = None, after: Position | None = None, limit: int
    ) -> Page[LedgerEntryView]:
        actor.must_be_admin()
        where = given(payment_id=payment_id)
        return await self.readers.page(actor, LedgerEntryView, where, order=_NEWEST, after=after, limit=limit)


def known(actor: Actor) -> None:
    """Refuse those who have not said who they are."""
    if actor.kind is Kind.ANONYMOUS:
        raise Unauthenticated("sign in first")


def given(**criteria: object) -> dict[str, object]:
    """Those of the criteria that were given."""
    return {name: value for name, value in criteria.items() if value is not None}
