"""Papers: invoices and credit notes as they left the house. They carry the numbers, and are never changed."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.invoicing.bill import Bill, Shares, total_of
from domain.invoicing.letterhead import Seller
from domain.shared.aggregate import Aggregate
from domain.shared.ids import InvoiceId, OrganizationId, PaperId, UserId
from domain.shared.money import Money


class PaperKind(StrEnum):
    """An invoice asks for money; a credit note says how much of an invoice is not asked for after all."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


_PREFIX = {PaperKind.INVOICE: "", PaperKind.CREDIT_NOTE: "C"}


@dataclass(eq=False, slots=True, kw_only=True)
class Paper(Aggregate):
    """One invoice or credit note, complete in itself: who asks whom for what, and under which number.
    `sequence` is handed out by the commit that issues it, so there are no gaps."""

    id: PaperId
    kind: PaperKind
    invoice_id: InvoiceId
    organization_id: OrganizationId
    year: int
    sequence: int = 0
    seller: Seller
    bill: Bill
    shares: Shares
    total: Money
    issued_on: date
    due_on: date | None = None
    corrects: str = ""
    reason: str = ""
    created_at: datetime

    @classmethod
    def issue(
        cls,
        *,
        id: PaperId,
        kind: PaperKind,
        invoice_id: InvoiceId,
        organization_id: OrganizationId,
        seller: Seller,
        bill: Bill,
        shares: Shares,
        issued_on: date,
        due_on: date | None = None,
        corrects: str = "",
        reason: str = "",
        now: datetime,
    ) -> "Paper":
        """Write it down for good; its number is given by the commit."""
        return cls(
            id=id,
            kind=kind,
            invoice_id=invoice_id,
            organization_id=organization_id,
            year=issued_on.year,
            seller=seller,
            bill=bill,
            shares=shares,
            total=total_of(shares, bill.currency),
            issued_on=issued_on,
            due_on=due_on,
            corrects=corrects,
            reason=reason,
            created_at=now,
        )

    @property
    def number(self) -> str:
        """As people say it: 2026-0001, or C2026-0001 for a credit note."""
        return number_of(self.kind, self.year, self.sequence)

    @property
    def series(self) -> str:
        """The tally its number is drawn from: one per organization, kind and year."""
        return f"{self.kind.value}s:{self.organization_id}:{self.year}"

    @property
    def reader_id(self) -> UserId | None:
        """The user it is addressed to."""
        return self.bill.buyer.user_id

    @property
    def reader_email(self) -> str:
        """The mail address it is addressed to; empty for none."""
        return self.bill.buyer.email


def number_of(kind: PaperKind, year: int, sequence: int) -> str:
    """A paper's number as people say it."""
    return f"{_PREFIX[kind]}{year}-{sequence:04d}"
