"""The ledger: every movement of money as entries that sum to zero, written once and never changed.

Each entry is in somebody's books: those of the platform, or those of an organization. The accounts:

gateway:<name>                          what the platform holds at a gateway
organization:<id>:receivable            what customers owed the organization and paid, here or by hand
organization:<id>:by_hand               what it received past the gateway
organization:<id>:account               what it has on its own account at the gateway; below zero is what it owes there
organization:<id>:bank                  what was paid out from there to its bank
organization:<id>:fees                  what it paid the platform
platform:fees                           what the platform earned by that, as income is written: below zero
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.payments.dispute import Dispute, Moved
from domain.payments.payment import Payment
from domain.payments.payout import Payout
from domain.payments.refund import Refund
from domain.payments.refusals import GatewayDisagrees
from domain.shared.ids import BookingId, InvoiceId, LedgerEntryId, OrganizationId, PaymentId, SettlementId
from domain.shared.money import Money


class SourceKind(StrEnum):
    """What moved money: a capture, a refund, a refund that the customer's bank returned; a bank that took back what was
    disputed, or returned it, and what the gateway charges for that; or somebody who received it by hand and said so. Of
    a shared payment: its way to the organization's account, the platform's fee, and both of them back; and payouts from
    there, which a bank may return."""

    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    DISPUTE = "dispute"
    DISPUTE_RETURNED = "dispute_returned"
    DISPUTE_FEE = "dispute_fee"
    DISPUTE_FEE_RETURNED = "dispute_fee_returned"
    BY_HAND = "by_hand"
    TRANSFER = "transfer"
    FEE = "fee"
    TRANSFER_REVERSED = "transfer_reversed"
    FEE_RETURNED = "fee_returned"
    PAYOUT = "payout"
    PAYOUT_RETURNED = "payout_returned"


class Books(StrEnum):
    """Whose books an account is in."""

    PLATFORM = "platform"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Account:
    """A place where money is, or is owed, in somebody's books. Each currency has a balance of its own there."""

    books: Books
    name: str


def at_gateway(gateway: str) -> Account:
    """What the platform holds at that gateway."""
    return Account(Books.PLATFORM, f"gateway:{gateway}")


def receivable(organization_id: OrganizationId) -> Account:
    """What customers owe the organization; it goes below zero by what they paid, for what they owe is booked nowhere
    else."""
    return Account(Books.ORGANIZATION, f"organization:{organization_id}:receivable")


def in_hand(organization_id: OrganizationId) -> Account:
    """What the organization received past the gateway."""
    return Account(Books.ORGANIZATION, f"organization:{organization_id}:by_hand")


def on_account(organization_id: OrganizationId) -> Account:
    """What the organization has on its own account at the gateway."""
    return Account(Books.ORGANIZATION, f"organization:{organization_id}:account")


def at_bank(organization_id: OrganizationId) -> Account:
    """What the organization was paid out."""
    return Account(Books.ORGANIZATION, f"organization:{organization_id}:bank")


def fees_paid(organization_id: OrganizationId) -> Account:
    """What the organization paid the platform."""
    return Account(Books.ORGANIZATION, f"organization:{organization_id}:fees")


FEES_EARNED = Account(Books.PLATFORM, "platform:fees")
"""What organizations paid the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One side of one movement. Positive amounts are what an account gains (debit), negative what it gives (credit).
    One gateway object moves one account once per kind: (source_kind, source_id, account) is unique. `organization_id`
    says whose money it is about; `position` and `hash` are its place in the chain, once it is sealed."""

    sealed_as: ClassVar[bytes] = b"guildhall.ledger.1\n"
    id: LedgerEntryId
    version: int = 1
    transaction_id: UUID
    books: Books
    account: str
    amount: Money
    source_kind: SourceKind
    source_id: str
    payment_id: PaymentId | None = None
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    organization_id: OrganizationId
    created_at: datetime
    position: int | None = None
    hash: str | None = None

    def canonical(self) -> bytes:
        """The entry as bytes that are the same on every store: compact JSON, keys sorted, the instant in UTC to the
        microsecond."""
        return json.dumps(
            {
                "id": str(self.id),
                "transaction_id": str(self.transaction_id),
                "books": self.books.value,
                "account": self.account,
                "amount_minor": self.amount.amount_minor,
                "amount_currency": self.amount.currency,
                "source_kind": self.source_kind.value,
                "source_id": self.source_id,
                "payment_id": self.payment_id and str(self.payment_id),
                "booking_id": self.booking_id and str(self.booking_id),
                "invoice_id": self.invoice_id and str(self.invoice_id),
                "organization_id": str(self.organization_id),
                "created_at": self.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the sealed entries of one account come to in one currency, up to that place in the chain. An account of an
    organization says whose it is; below zero is what it owes, or has given more than it got."""

    id: UUID
    version: int
    books: Books
    organization_id: OrganizationId | None
    account: str
    amount: Money
    position: int
    updated_at: datetime


def capture_entries(
    payment: Payment, amount: Money, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """The gateway now holds this amount, and the organization is to receive it. None when nothing was captured."""
    if amount.is_zero:
        return ()
    return of_payment(payment, between(payment, amount), SourceKind.CAPTURE, payment.gateway_ref, new=new, now=now)


def refund_entries(
    payment: Payment, refund: Refund, amount: Money, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """The gateway gave this amount back at the organization's expense; a negative one came back to both."""
    if amount.is_zero:
        return ()
    left = Money.zero(amount.currency) < amount
    kind = SourceKind.REFUND if left else SourceKind.REFUND_RETURNED
    return of_payment(payment, between(payment, -amount), kind, refund.gateway_ref, new=new, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One object of the gateway that moved part of a shared payment, always by a positive amount."""

    kind: SourceKind
    ref: str
    amount: Money

    @property
    def gained(self) -> Money:
        """What the organization's account has more by it; less than nothing when it gave."""
        gives = self.kind in (SourceKind.FEE, SourceKind.TRANSFER_REVERSED)
        return -self.amount if gives else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayShare:
    """What has become of a shared payment at the moment of asking: every movement between the platform and the
    organization's account, whoever brought it about."""

    gateway: str
    payment_ref: str
    moved: tuple[Movement, ...]


def share_entries(
    payment: Payment, movement: Movement, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """A shared payment goes to the organization's account as a whole, and the fee comes from there; both go back when
    the customer is paid back."""
    if movement.amount.is_zero:
        return ()
    if movement.amount.currency != payment.amount.currency:
        raise GatewayDisagrees(movement.kind.value, payment.amount, movement.amount)
    backwards = movement.kind in (SourceKind.TRANSFER_REVERSED, SourceKind.FEE_RETURNED)
    amount = -movement.amount if backwards else movement.amount
    ours, theirs = at_gateway(payment.gateway), on_account(payment.organization_id)
    sides: tuple[tuple[Account, Money], ...] = ((ours, -amount), (theirs, amount))
    if movement.kind in (SourceKind.FEE, SourceKind.FEE_RETURNED):
        paid, earned = fees_paid(payment.organization_id), FEES_EARNED
        sides = ((theirs, -amount), (ours, amount), (paid, amount), (earned, -amount))
    return of_payment(payment, sides, movement.kind, movement.ref, new=new, now=now)


def payout_entries(payout: Payout, amount: Money, *, new: Callable[[], UUID], now: datetime) -> tuple[LedgerEntry, ...]:
    """This amount left the organization's account for its bank; a negative one came back."""
    if amount.is_zero:
        return ()
    kind = SourceKind.PAYOUT if Money.zero(amount.currency) < amount else SourceKind.PAYOUT_RETURNED
    transaction = new()
    return tuple(
        LedgerEntry(
            id=LedgerEntryId(new()),
            transaction_id=transaction,
            books=account.books,
            account=account.name,
            amount=side,
            source_kind=kind,
            source_id=f"{payout.gateway}:{payout.gateway_ref}",
            organization_id=payout.organization_id,
            created_at=now,
        )
        for account, side in (
            (on_account(payout.organization_id), -amount),
            (at_bank(payout.organization_id), amount),
        )
    )


def dispute_entries(
    payment: Payment, dispute: Dispute, moved: Moved, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """What a bank took or returned, and what the gateway charges for it, at the organization's expense. A fee in
    another currency than the payment's is in no book of this payment."""
    ref = f"{dispute.gateway_ref}:{dispute.moves}"
    movements = (
        (SourceKind.DISPUTE, -moved.taken),
        (SourceKind.DISPUTE_RETURNED, moved.returned),
        (SourceKind.DISPUTE_FEE, -moved.fee),
        (SourceKind.DISPUTE_FEE_RETURNED, moved.fee_returned),
    )
    return tuple(
        entry
        for kind, amount in movements
        if not amount.is_zero and amount.currency == payment.amount.currency
        for entry in of_payment(payment, between(payment, amount), kind, ref, new=new, now=now)
    )


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
    return tuple(
        LedgerEntry(
            id=LedgerEntryId(new()),
            transaction_id=transaction,
            books=account.books,
            account=account.name,
            amount=side,
            source_kind=SourceKind.BY_HAND,
            source_id=f"by_hand:{settlement_id}",
            invoice_id=invoice_id,
            organization_id=organization_id,
            created_at=now,
        )
        for account, side in ((in_hand(organization_id), amount), (receivable(organization_id), -amount))
    )


Sides = Iterable[tuple[Account, Money]]
"""What each account gains by one movement; together nothing."""


def between(payment: Payment, amount: Money) -> Sides:
    """Between a payment's gateway and the organization it is for."""
    return ((at_gateway(payment.gateway), amount), (receivable(payment.organization_id), -amount))


def of_payment(
    payment: Payment, sides: Sides, kind: SourceKind, ref: str | None, *, new: Callable[[], UUID], now: datetime
) -> tuple[LedgerEntry, ...]:
    """One movement of a payment's money, brought about by the gateway's object of that reference."""
    transaction = new()
    return tuple(
        LedgerEntry(
            id=LedgerEntryId(new()),
            transaction_id=transaction,
            books=account.books,
            account=account.name,
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
