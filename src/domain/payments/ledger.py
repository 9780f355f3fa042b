"""The ledger: every movement of money as entries that sum to zero, written once and never changed."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.shared.ids import BookingId, InvoiceId, LedgerEntryId, OrganizationId, PaymentId, SettlementId
from domain.shared.money import Money


class SourceKind(StrEnum):
    """What moved money: a capture, a refund, a refund that the customer's bank returned; or somebody who received it by
    hand and said so."""

    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One side of one movement. Positive amounts are what an account gains (debit), negative what it gives (credit).
    One gateway object moves one account once per kind: (source_kind, source_id, account) is unique."""

    id: LedgerEntryId
    transaction_id: UUID
    account: str
    amount: Money
    source_kind: SourceKind
    source_id: str
    payment_id: PaymentId | None = None
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    organization_id: OrganizationId
    created_at: datetime


def capture_entries(
    payment: Payment, amount: Money, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """The gateway now holds this amount, and the organization is to receive it. None when nothing was captured."""
    if amount.is_zero:
        return ()
    return _move(payment, amount, SourceKind.CAPTURE, payment.gateway_ref, new=new, now=now)


def refund_entries(
    payment: Payment, refund: Refund, amount: Money, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """The gateway gave this amount back at the organization's expense; a negative one came back to both."""
    if amount.is_zero:
        return ()
    left = Money.zero(amount.currency) < amount
    kind = SourceKind.REFUND if left else SourceKind.REFUND_RETURNED
    return _move(payment, -amount, kind, refund.gateway_ref, new=new, now=now)


def by_hand_entries(
    settlement_id: SettlementId,
    amount: Money,
    *,
    invoice_id: InvoiceId,
    organization_id: OrganizationId,
    new: Callable[[], UUID],
    now: datetime,
) -> tuple[LedgerEntry, ...]:
    """The organization holds this amount of an invoice itself, and is to receive so much less; a negative one was taken
    back from its books."""
    transaction = new()
    sides = (
        (f"organization:{organization_id}:by_hand", amount),
        (f"organization:{organization_id}:receivable", -amount),
    )
    return tuple(
        LedgerEntry(
            id=LedgerEntryId(new()),
            transaction_id=transaction,
            account=account,
            amount=side,
            source_kind=SourceKind.BY_HAND,
            source_id=f"by_hand:{settlement_id}",
            invoice_id=invoice_id,
            organization_id=organization_id,
            created_at=now,
        )
        for account, side in sides
    )


def source_of(gateway: str, ref: str | None) -> str:
    """How the ledger names what moved: the gateway's payment or refund."""
    return f"{gateway}:{ref}"


def totals(entries: Iterable[LedgerEntry]) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency) in minor units."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        sums[entry.account, entry.amount.currency] += entry.amount.amount_minor
    return dict(sums)


def balanced(entries: Iterable[LedgerEntry]) -> bool:
    """Whether every transaction sums to zero in each currency."""
    sums: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    for entry in entries:
        sums[entry.transaction_id, entry.amount.currency] += entry.amount.amount_minor
    return not any(sums.values())


def _move(
    payment: Payment, amount: Money, kind: SourceKind, ref: str | None, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    transaction = new()
    sides = (
        (f"gateway:{payment.gateway}", amount),
        (f"organization:{payment.organization_id}:receivable", -amount),
    )
    return tuple(
        LedgerEntry(
            id=LedgerEntryId(new()),
            transaction_id=transaction,
            account=account,
            amount=side,
            source_kind=kind,
            source_id=source_of(payment.gateway, ref),
            payment_id=payment.id,
            booking_id=payment.booking_id,
            invoice_id=payment.invoice_id,
            organization_id=payment.organization_id,
            created_at=now,
        )
        for account, side in sides
    )
