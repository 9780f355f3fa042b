"""Doubts: what a gateway did not answer is asked again, never guessed."""

from dataclasses import dataclass

from application.payments.settling import PENDING_CHECK, ask_to_open, ask_to_refund, take_opening, take_sending
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import PaymentGateway
from application.ports.unit_of_work import Begin
from domain.payments import PaymentDoubted, PaymentState, RefundDoubted, RefundState
from domain.shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveUnknown:
    """Ask the gateway again about a payment or refund whose outcome is unknown, under the same id as before; still no
    answer means asking again later."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: PaymentDoubted | RefundDoubted) -> None:
        match event:
            case PaymentDoubted():
                await self._payment(actor, event)
            case RefundDoubted():
                await self._refund(actor, event)

    async def _payment(self, actor: Actor, event: PaymentDoubted) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
        if payment.state is not PaymentState.UNKNOWN or payment.attempt != event.attempt:
            return
        answer = await ask_to_open(self.gateway, payment)
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            take_opening(work, payment, answer, ids=self.ids, now=self.clock.now(), tries=event.tries)

    async def _refund(self, actor: Actor, event: RefundDoubted) -> None:
        async with self.begin(actor) as work:
            refund = await work.refunds.get(event.refund_id)
            payment = await work.payments.get(refund.payment_id)
        if refund.state not in (RefundState.UNKNOWN, RefundState.PENDING):
            return
        answer = await ask_to_refund(self.gateway, refund, payment)
        async with self.begin(actor) as work:
            refund = await work.refunds.get(event.refund_id)
            payment = await work.payments.get(refund.payment_id)
            was_pending, now = refund.state is RefundState.PENDING, self.clock.now()
            take_sending(work, refund, payment, answer, ids=self.ids, now=now, tries=event.tries)
            if was_pending and refund.state is RefundState.PENDING:
                again = RefundDoubted(refund_id=refund.id, tries=0)
                work.schedule(again, about=refund, at=now + PENDING_CHECK)
