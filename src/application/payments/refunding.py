"""Giving back: by the provider's decision, by a cancellation's policy, or because the slot was gone."""

from dataclasses import dataclass
from typing import ClassVar

from application.inputs import submitted
from application.parties import manages, side_of
from application.payments.paying import abandon
from application.payments.settling import ask_to_refund, take_sending
from application.ports.clock import Clock
from application.ports.criteria import Order
from application.ports.ids import Ids
from application.ports.payments import PaymentGateway
from application.ports.unit_of_work import Begin, Work
from domain.bookings import BookingCancelled, BookingMissed, BookingUnplaceable
from domain.invoicing import Invoice, InvoiceOverpaid, SettlementKind
from domain.payments import (
    DisputeClosed,
    Payment,
    PaymentDisputed,
    PaymentState,
    Refund,
    RefundRequested,
    RefundState,
    RefundTooLarge,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import InvoiceId, PaymentId, RefundId
from domain.shared.money import Money

_REASON = {
    BookingCancelled.name: "the booking was cancelled",
    BookingMissed.name: "the customer did not turn up",
}


class NotYoursToRefund(Forbidden):
    """A customer cancels and gets what the policy gives; only an owner or manager gives money back by hand."""

    code = "payment.not_yours_to_refund"


@submitted
class Repayment:
    """How much to give back, and why."""

    amount_minor: int | None = None
    """The amount in the payment's smallest unit (cents, yen); leave it out to give back all that is left."""

    reason: str = ""
    """What the customer and the books are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Give a customer all or part of what they paid, never more than is left; more than once if need be. What a bank
    decides about in a dispute is not given back meanwhile."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NotYoursToRefund,
        RefundTooLarge,
        PaymentDisputed,
        Invalid,
    )
    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, payment_id: PaymentId, repayment: Repayment) -> Refund:
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            await _must_manage(work, actor, payment)
            amount = payment.refundable
            if repayment.amount_minor is not None:
                amount = Money(repayment.amount_minor, payment.amount.currency)
            refund = Refund.request(
                id=RefundId(self.ids.new()),
                payment=payment,
                amount=amount,
                reason=repayment.reason,
                now=self.clock.now(),
            )
            work.refunds.add(refund)
            return work.answer(refund)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundCancelledBooking:
    """A booking that was cancelled or missed gives back what its policy decided. If it was not paid yet, the payment is
    closed instead; money that arrives all the same is the booking's to judge."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: BookingCancelled | BookingMissed) -> None:
        if event.payment_id is None:
            return
        async with self.begin(actor) as work:
            asked = await work.payments.first(id=event.payment_id)
        if asked is None or not asked.is_captured:
            await abandon(event.payment_id, actor, self.begin, self.clock, self.ids, self.gateway)
            return
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            _give(work, payment, event.refund, _REASON[event.name], ids=self.ids, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundUnplaceable:
    """A payment came too late and its slot was gone: all that is left of it goes back."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: BookingUnplaceable) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            reason = "the payment came too late and the slot was gone"
            _give(work, payment, payment.refundable, reason, ids=self.ids, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOverpaid:
    """More was paid of an invoice than is owed, or less is owed than was paid: what is too much goes back, the latest
    payment first, as far as it came through the gateway. What came by hand is given back by hand."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: InvoiceOverpaid) -> None:
        async with self.begin(actor) as work:
            await _give_back_excess(work, event.invoice_id, ids=self.ids, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAfterDispute:
    """While a bank decided about a payment nothing was given back of it. Now what is owed of it since, and the bank has
    not taken, goes back."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: DisputeClosed) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            if payment.invoice_id is not None:
                await _give_back_excess(work, payment.invoice_id, ids=self.ids, clock=self.clock)
            elif payment.booking_id is not None:
                booking = await work.bookings.get(payment.booking_id)
                owed = booking.owed_back(PaymentId(payment.id), payment.captured)
                owed -= payment.refunded + payment.refunding + payment.disputed
                _give(work, payment, owed, "what waited for the end of a dispute", ids=self.ids, clock=self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRefund:
    """A refund that was decided is sent by the gateway, under its own id, so that asking twice sends it once."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: RefundRequested) -> None:
        async with self.begin(actor) as work:
            refund = await work.refunds.get(event.refund_id)
            payment = await work.payments.get(refund.payment_id)
        if refund.state is not RefundState.REQUESTED:
            return
        answer = await ask_to_refund(self.gateway, refund, payment)
        async with self.begin(actor) as work:
            refund = await work.refunds.get(event.refund_id)
            payment = await work.payments.get(refund.payment_id)
            take_sending(work, refund, payment, answer, ids=self.ids, now=self.clock.now())


def _give(work: Work, payment: Payment, amount: Money, reason: str, *, ids: Ids, clock: Clock) -> None:
    """Ask for a refund of this amount, or of what is left if that is less; of nothing, for none."""
    amount = min(amount, payment.refundable)
    if Money.zero(amount.currency) < amount:
        refund = Refund.request(id=RefundId(ids.new()), payment=payment, amount=amount, reason=reason, now=clock.now())
        work.refunds.add(refund)


async def _give_back_excess(work: Work, invoice_id: InvoiceId, *, ids: Ids, clock: Clock) -> None:
    """What came of an invoice through the gateway beyond what is owed, the latest payment first."""
    invoice = await work.invoices.get(invoice_id)
    newest = Order("created_at", descending=True)
    payments = await work.payments.find(order=newest, invoice_id=invoice_id, state=PaymentState.CAPTURED)
    elsewhere = await _paid_elsewhere(work, invoice)
    held = sum((payment.refundable for payment in payments), start=invoice.nothing)
    excess = held + elsewhere - (invoice.total - invoice.credited)
    for payment in payments:
        back = min(excess, payment.refundable)
        _give(work, payment, back, "more was paid than is owed", ids=ids, clock=clock)
        excess -= max(back, invoice.nothing)


async def _paid_elsewhere(work: Work, invoice: Invoice) -> Money:
    """What of an invoice was paid by hand, or by the payment of the booking it is of."""
    with_booking = await work.settlements.find(invoice_id=invoice.id, kind=SettlementKind.BOOKING)
    return sum((each.amount for each in with_booking), start=invoice.paid_by_hand)


async def _must_manage(work: Work, actor: Actor, payment: Payment) -> None:
    """Only who may see an organization's money may give it back; to strangers the payment does not exist."""
    if await manages(work, actor, payment.organization_id):
        return
    if payment.booking_id is not None:
        await side_of(work, actor, await work.bookings.get(payment.booking_id))
        raise NotYoursToRefund("only an owner or manager gives money back; cancel the booking instead")
    if actor.is_user(payment.customer_id):
        raise NotYoursToRefund("only an owner or manager gives money back; ask them for a credit note")
    raise NotFound.of("payment", payment.id)
