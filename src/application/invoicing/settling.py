"""Settling: money that moved is counted on its invoice once, wherever it came from and whenever it is heard of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from application.inputs import submitted
from application.invoicing.books import letterhead_of, must_keep_books_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from domain.invoicing import (
    Invoice,
    InvoiceStateRefused,
    MoreThanIsOwed,
    NotReceivedByHand,
    NotYourBooks,
    Settlement,
    SettlementKind,
    source_of,
)
from domain.payments import PaymentCaptured, RefundFailed, RefundSucceeded, by_hand_entries
from domain.shared.actors import Actor
from domain.shared.errors import Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, PaymentId, SettlementId
from domain.shared.money import Money
from domain.shared.text import text


@submitted
class Receipt:
    """Money that was received past the gateway."""

    amount_minor: int
    """How much, in the invoice's smallest unit; a negative amount takes back what was recorded by mistake."""

    reason: str
    """How it came: "bank transfer of 3 May", "cash"."""

    received_on: date | None = None
    """The day it came; today if left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReceipt:
    """Record money that an invoice was paid by past the gateway, no more than is left; it goes into the ledger like any
    other. A negative amount corrects an earlier record."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotYourBooks,
        NotFound,
        InvoiceStateRefused,
        MoreThanIsOwed,
        NotReceivedByHand,
        Invalid,
    )

    async def __call__(self, actor: Actor, invoice_id: InvoiceId, receipt: Receipt) -> Invoice:
        now = self.clock.now()
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(invoice_id)
            await must_keep_books_of(work, actor, invoice)
            amount = Money(receipt.amount_minor, invoice.bill.currency)
            if amount.is_zero:
                raise Invalid("record an amount that is not nothing", field="amount_minor")
            invoice.record(amount)
            today = (await letterhead_of(work, invoice.organization_id, now=now)).today(now)
            received_on = receipt.received_on or today
            if received_on > today:
                raise Invalid("record money when it has come", field="received_on")
            settlement = count(
                work,
                invoice,
                amount,
                SettlementKind.BY_HAND,
                self.ids.new(),
                received_on=received_on,
                reason=text(receipt.reason, field="reason", longest=500),
                ids=self.ids,
                now=now,
            )
            entries = by_hand_entries(
                settlement.id,
                amount,
                invoice_id=invoice_id,
                organization_id=invoice.organization_id,
                new=self.ids.new,
                now=now,
            )
            for entry in entries:
                work.ledger.add(entry)
            return work.answer(invoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleInvoice:
    """A payment of an invoice that arrived is counted on it, all of it; should that be too much, what is too much goes
    back."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: PaymentCaptured) -> None:
        if event.invoice_id is not None:
            amount, kind = event.amount, SettlementKind.GATEWAY
            async with self.begin(actor) as work:
                await _heard(
                    work, event.invoice_id, amount, kind, event.payment_id, event.payment_id, self.ids, self.clock
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettleInvoice:
    """A refund that left is no longer counted as paid; one that had left and was returned by the bank is again."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: RefundSucceeded | RefundFailed) -> None:
        if event.invoice_id is None:
            return
        amount, kind = -event.amount, SettlementKind.REFUND
        async with self.begin(actor) as work:
            if isinstance(event, RefundFailed):
                if not await work.settlements.first(source=source_of(kind, event.refund_id)):
                    return
                amount, kind = event.amount, SettlementKind.REFUND_RETURNED
            await _heard(work, event.invoice_id, amount, kind, event.refund_id, event.payment_id, self.ids, self.clock)


def count(
    work: Work,
    invoice: Invoice,
    amount: Money,
    kind: SettlementKind,
    id: UUID,
    *,
    received_on: date,
    payment_id: PaymentId | None = None,
    reason: str = "",
    ids: Ids,
    now: datetime,
) -> Settlement:
    """Count this movement of money on the invoice."""
    settlement = Settlement(
        id=SettlementId(ids.new()),
        invoice_id=InvoiceId(invoice.id),
        organization_id=invoice.organization_id,
        kind=kind,
        source=source_of(kind, id),
        amount=amount,
        payment_id=payment_id,
        reason=reason,
        received_on=received_on,
        created_at=now,
    )
    invoice.settle(settlement)
    work.settlements.add(settlement)
    return settlement


async def _heard(
    work: Work,
    invoice_id: InvoiceId,
    amount: Money,
    kind: SettlementKind,
    id: UUID,
    payment_id: PaymentId,
    ids: Ids,
    clock: Clock,
) -> None:
    """Count what the gateway told, unless it was counted before."""
    if await work.settlements.first(source=source_of(kind, id)):
        return
    now = clock.now()
    invoice = await work.invoices.get(invoice_id)
    today = (await letterhead_of(work, invoice.organization_id, now=now)).today(now)
    count(work, invoice, amount, kind, id, received_on=today, payment_id=payment_id, ids=ids, now=now)
