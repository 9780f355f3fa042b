"""News about money: a receipt when it arrives, a word when it does not, another when it goes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.notifications.writing import Affair, Desk, plain_money
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.notifications import Template
from domain.payments import PaymentCaptured, PaymentFailed, RefundFailed, RefundSucceeded
from domain.shared.actors import Actor
from domain.shared.money import Money
from domain.shared.terms import Side

MoneyNews = PaymentCaptured | PaymentFailed | RefundSucceeded | RefundFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfPayment:
    """A customer whose money arrived gets a receipt, one whose money went back is told so, and one whose payment
    failed learns that it can be tried again. A refund that failed is for the provider's side to look at."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: MoneyNews) -> None:
        if event.booking_id is None:
            return  # what happens to the money of an invoice is told with the invoice
        async with self.begin(actor) as work:
            affair = await Affair.of(work, await work.bookings.get(event.booking_id))
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            title, body = _line(event, affair)
            told = affair.booking.provider_id if isinstance(event, RefundFailed) else affair.booking.customer_id
            desk.notify(told, kind=event.name, title=title, body=body, about=affair.booking.id)
            match event:
                case PaymentCaptured(payment_id=payment_id, amount=amount):
                    payment = await work.payments.get(payment_id)
                    facts = _facts(affair, amount, str(payment_id), payment.captured_at or desk.now)
                    transition = f"payment:{payment_id}:captured"
                    await desk.mail(affair.booking.customer_id, Template.RECEIPT, transition=transition, context=facts)
                case RefundSucceeded(refund_id=refund_id, amount=amount):
                    refund = await work.refunds.get(refund_id)
                    facts = _facts(affair, amount, str(refund_id), refund.settled_at or desk.now)
                    transition = f"refund:{refund_id}:succeeded"
                    await desk.mail(affair.booking.customer_id, Template.REFUND, transition=transition, context=facts)


def _line(event: MoneyNews, affair: Affair) -> tuple[str, str]:
    booking = affair.booking
    match event:
        case PaymentCaptured():
            return f"{event.amount} received", f"Thank you. It is for {booking.job_title}, {booking.reference}."
        case RefundSucceeded():
            return f"{event.amount} is on its way back", f"Your refund for {booking.job_title}, {booking.reference}."
        case RefundFailed():
            return (
                f"A refund of {event.amount} failed",
                f"For {booking.job_title}, {booking.reference}: {event.reason}. Please give it back another way.",
            )
        case PaymentFailed():
            return (
                "Your payment did not go through",
                f"For {booking.job_title}, {booking.reference}: you can try again.",
            )


def _facts(affair: Affair, amount: Money, number: str, at: datetime) -> dict[str, Any]:
    money = {"amount": plain_money(amount), "number": number, "paid_at": at.isoformat()}
    return affair.facts(Side.CUSTOMER) | money
