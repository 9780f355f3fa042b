"""How quotes, invoices and credit notes become something that can be printed, filed and sent."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from domain.invoicing import Bill, Seller, Shares
from domain.shared.money import Money


class SheetKind(StrEnum):
    """What it is headed."""

    QUOTE = "quote"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that is printed, and nothing else, so that the same sheet is the same document. `until` is when an invoice is
    due or a quote expires; a credit note says which number it `corrects`, and the `reason`."""

    kind: SheetKind
    number: str
    seller: Seller
    bill: Bill
    shares: Shares
    total: Money
    issued_on: date
    until: date | None = None
    corrects: str = ""
    reason: str = ""


class InvoicePrinter(Protocol):
    """Sets sheets on pages."""

    async def print(self, sheet: Sheet) -> bytes:
        """A PDF document; the same bytes for the same sheet."""
        ...
