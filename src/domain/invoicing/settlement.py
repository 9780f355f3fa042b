"""Settlements: what was counted as paid of an invoice, one line each, written once."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.ids import InvoiceId, OrganizationId, PaymentId, SettlementId
from domain.shared.money import Money


class SettlementKind(StrEnum):
    """How the money came or went: through the gateway, with the booking the invoice is of, by hand; or a refund, and a
    refund that the bank returned."""

    GATEWAY = "gateway"
    BOOKING = "booking"
    BY_HAND = "by_hand"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """One amount an invoice is paid by; negative where money went back. `source` names what moved it, and counts
    once."""

    id: SettlementId
    invoice_id: InvoiceId
    organization_id: OrganizationId
    kind: SettlementKind
    source: str
    amount: Money
    payment_id: PaymentId | None = None
    reason: str = ""
    received_on: date
    created_at: datetime


def source_of(kind: SettlementKind, id: UUID) -> str:
    """The name under which one movement of money is counted once."""
    return f"{kind.value}:{id}"
