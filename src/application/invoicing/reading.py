"""Looking things up: quotes, invoices, the papers that left the house, and what was paid."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from application.inputs import submitted
from application.ports.criteria import Between, Order, Position
from application.ports.readers import Page, Readers
from domain.invoicing import (
    Bill,
    InvoiceState,
    PaperKind,
    QuoteState,
    Seller,
    SettlementKind,
    Shares,
    number_of,
    quote_reference,
)
from domain.shared.actors import Actor, Kind
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import (
    BookingId,
    InvoiceId,
    OrganizationId,
    PaperId,
    PaymentId,
    QuoteId,
    SettlementId,
)
from domain.shared.money import Money

_NEWEST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteView:
    """A quote as its buyer and the organization's managers see it."""

    source: ClassVar[str] = "quotes"
    id: QuoteId
    version: int
    organization_id: OrganizationId
    year: int
    sequence: int
    bill: Bill
    total: Money
    valid_days: int
    due_days: int
    state: QuoteState
    sendings: int
    sent_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    invoice_id: InvoiceId | None
    created_at: datetime

    @property
    def reference(self) -> str:
        """As people say it."""
        return quote_reference(self.year, self.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceView:
    """An invoice as its buyer and the organization's managers see it; a draft has no number."""

    source: ClassVar[str] = "invoice_cards"
    id: InvoiceId
    version: int
    organization_id: OrganizationId
    booking_id: BookingId | None
    quote_id: QuoteId | None
    paper_id: PaperId | None
    year: int | None
    sequence: int | None
    bill: Bill
    total: Money
    paid: Money
    paid_by_hand: Money
    credited: Money
    due_days: int
    state: InvoiceState
    overdue: bool
    issued_on: date | None
    due_on: date | None
    sendings: int
    sent_at: datetime | None
    created_at: datetime

    @property
    def number(self) -> str | None:
        """As people say it."""
        if self.year is None or self.sequence is None:
            return None
        return number_of(PaperKind.INVOICE, self.year, self.sequence)

    @property
    def left(self) -> Money:
        """What is still to be paid; negative while too much was paid."""
        return self.total - self.credited - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """An invoice or credit note as it left the house."""

    source: ClassVar[str] = "papers"
    id: PaperId
    version: int
    kind: PaperKind
    invoice_id: InvoiceId
    organization_id: OrganizationId
    year: int
    sequence: int
    seller: Seller
    bill: Bill
    shares: Shares
    total: Money
    issued_on: date
    due_on: date | None
    corrects: str
    reason: str
    created_at: datetime

    @property
    def number(self) -> str:
        """As people say it."""
        return number_of(self.kind, self.year, self.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementView:
    """One amount an invoice was paid by; negative where money went back."""

    source: ClassVar[str] = "settlements"
    id: SettlementId
    invoice_id: InvoiceId
    kind: SettlementKind
    amount: Money
    payment_id: PaymentId | None
    reason: str
    received_on: date
    created_at: datetime


@submitted
class QuoteFilter:
    """Which quotes to list; everything left out matches all."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""
    state: QuoteState | None = None
    """Only those that stand like this."""


@submitted
class InvoiceFilter:
    """Which invoices to list; everything left out matches all."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""
    state: InvoiceState | None = None
    """Only those that stand like this."""
    overdue: bool | None = None
    """Only those that should have been paid by now, or only the others."""
    booking_id: BookingId | None = None
    """Only that of this booking."""
    quote_id: QuoteId | None = None
    """Only that of this quote."""
    issued_from: date | None = None
    """Only those issued on this day or later."""
    issued_before: date | None = None
    """Only those issued before this day."""


@submitted
class PaperFilter:
    """Which papers to list; everything left out matches all."""

    organization_id: OrganizationId | None = None
    """Only those of this organization."""
    invoice_id: InvoiceId | None = None
    """Only the invoice's own and its credit notes."""
    kind: PaperKind | None = None
    """Only invoices, or only credit notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuote:
    """A quote of yours, or of an organization you manage."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> QuoteView:
        _known(actor)
        return await self.readers.one(actor, QuoteView, quote_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuotes:
    """Quotes offered to you and those of organizations you manage, the newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, filter: QuoteFilter = QuoteFilter(), *, after: Position | None = None, limit: int
    ) -> Page[QuoteView]:
        _known(actor)
        where = _given(organization_id=filter.organization_id, state=filter.state)
        return await self.readers.page(actor, QuoteView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetInvoice:
    """An invoice to you, or of an organization you manage, and how it stands."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, invoice_id: InvoiceId) -> InvoiceView:
        _known(actor)
        return await self.readers.one(actor, InvoiceView, invoice_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvoices:
    """Invoices to you and those of organizations you manage, the newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, filter: InvoiceFilter = InvoiceFilter(), *, after: Position | None = None, limit: int
    ) -> Page[InvoiceView]:
        _known(actor)
        issued = None
        if filter.issued_from is not None or filter.issued_before is not None:
            issued = Between(at_least=filter.issued_from, below=filter.issued_before)
        where = _given(
            organization_id=filter.organization_id,
            state=filter.state,
            overdue=filter.overdue,
            booking_id=filter.booking_id,
            quote_id=filter.quote_id,
            issued_on=issued,
        )
        return await self.readers.page(actor, InvoiceView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPaper:
    """An invoice or credit note as it left the house."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, paper_id: PaperId) -> PaperView:
        _known(actor)
        return await self.readers.one(actor, PaperView, paper_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPapers:
    """Invoices and credit notes that left the house, the newest first: those to you and those of organizations you
    manage."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, filter: PaperFilter = PaperFilter(), *, after: Position | None = None, limit: int
    ) -> Page[PaperView]:
        _known(actor)
        where = _given(organization_id=filter.organization_id, invoice_id=filter.invoice_id, kind=filter.kind)
        return await self.readers.page(actor, PaperView, where, order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettlements:
    """What an invoice was paid by, the newest first; for the organization's owners and managers."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, invoice_id: InvoiceId, *, after: Position | None = None, limit: int
    ) -> Page[SettlementView]:
        _known(actor)
        where = {"invoice_id": invoice_id}
        return await self.readers.page(actor, SettlementView, where, order=_NEWEST, after=after, limit=limit)


def _known(actor: Actor) -> None:
    if actor.kind is Kind.ANONYMOUS:
        raise Unauthenticated("sign in first")


def _given(**criteria: object) -> dict[str, object]:
    return {name: value for name, value in criteria.items() if value is not None}
