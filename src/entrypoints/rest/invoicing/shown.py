"""How quotes, invoices and papers leave: as data, and as documents."""

from datetime import date, datetime
from hashlib import sha256
from typing import Any

from fastapi import Response

from application.invoicing import Printed
from domain.invoicing import InvoiceState, PaperKind, QuoteState, Seller, SettlementKind
from domain.shared.ids import (
    BookingId,
    InvoiceId,
    OrganizationId,
    PaperId,
    PaymentId,
    QuoteId,
    SettlementId,
    UserId,
)
from domain.shared.money import Money
from entrypoints.rest.out import Out

PDF = "application/pdf"
AS_PDF: dict[str, Any] = {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
"""What the docs say of an answer that is a document."""


class BuyerOut(Out):
    """Who is to pay."""

    name: str
    email: str
    address: str
    tax_id: str
    user_id: UserId | None


class LineOut(Out):
    """One thing on a bill: quantities in thousandths, rates in basis points, amounts in minor units."""

    description: str
    quantity_thousandths: int
    unit: str
    unit_price_minor: int
    discount_basis_points: int
    discount_minor: int
    tax_basis_points: int
    amount_minor: int
    """What the line comes to."""


class TaxShareOut(Out):
    """What the lines of one tax rate come to."""

    tax_basis_points: int
    amount_minor: int
    net_minor: int
    tax_minor: int


class BillOut(Out):
    """What is offered or asked for, and of whom."""

    buyer: BuyerOut
    currency: str
    lines: list[LineOut]
    tax_included: bool
    note: str
    shares: list[TaxShareOut]
    """Net and tax by rate; together they are the total."""


class LetterheadOut(Out):
    """How an organization signs its papers."""

    id: OrganizationId
    version: int
    seller: Seller
    zone: str


class QuoteOut(Out):
    """An offer, and how it was answered."""

    id: QuoteId
    version: int
    reference: str
    organization_id: OrganizationId
    bill: BillOut
    total: Money
    valid_days: int
    due_days: int
    state: QuoteState
    sent_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    invoice_id: InvoiceId | None
    """The invoice it became."""
    created_at: datetime


class InvoiceOut(Out):
    """What is asked for, and how it stands: `left` of `total` after what was `paid` and `credited`; negative while too
    much was paid."""

    id: InvoiceId
    version: int
    number: str | None = None
    """Of an issued one; a draft has none."""
    organization_id: OrganizationId
    booking_id: BookingId | None
    quote_id: QuoteId | None
    paper_id: PaperId | None
    """The paper that left the house."""
    bill: BillOut
    total: Money
    paid: Money
    credited: Money
    left: Money
    due_days: int
    state: InvoiceState
    overdue: bool
    issued_on: date | None
    due_on: date | None
    sent_at: datetime | None
    created_at: datetime


class PaperOut(Out):
    """An invoice or credit note as it left the house; it never changes."""

    id: PaperId
    version: int
    number: str
    kind: PaperKind
    invoice_id: InvoiceId
    organization_id: OrganizationId
    seller: Seller
    bill: BillOut
    shares: list[TaxShareOut]
    """Net and tax by rate, as this paper counts them."""
    total: Money
    issued_on: date
    due_on: date | None
    corrects: str
    """The number of the invoice a credit note corrects."""
    reason: str
    created_at: datetime


class SettlementOut(Out):
    """One amount an invoice was paid by; negative where money went back."""

    id: SettlementId
    invoice_id: InvoiceId
    kind: SettlementKind
    amount: Money
    payment_id: PaymentId | None
    reason: str
    received_on: date
    created_at: datetime


class LinkOut(Out):
    """An address that works for whoever has it."""

    url: str


def as_pdf(printed: Printed) -> Response:
    """The document, to be saved under its name; its ETag follows from its bytes."""
    tag = sha256(printed.content).hexdigest()[:32]
    headers = {
        "Content-Disposition": f'attachment; filename="{printed.name}"',
        "Cache-Control": "private, no-cache",
        "ETag": f'"{tag}"',
    }
    return Response(printed.content, media_type=PDF, headers=headers)
