"""Ways of handling a gateway's money that cost others theirs, beside those of `payments`; see `Stage`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from application.payments import AskRefund, ProcessWebhook, ReceiveWebhook, RefreshPayment, ResolveUnknown
from application.payments.hearing import Verdict
from application.payments.settling import ask_to_refund, take_sending
from application.ports.payments import Declined, GatewaySilent, RefundOrder
from domain.payments import (
    GatewayPayment,
    GatewayRefund,
    Payment,
    PaymentDoubted,
    RefundDoubted,
    RefundRequested,
    RefundState,
    Webhook,
)
from domain.shared.actors import Actor
from domain.shared.ids import PaymentId, RefundId, WebhookId


class NeverMarks(ProcessWebhook):
    """Acts on a message, and forgets to say that it has."""

    async def _act(
        self,
        actor: Actor,
        id: WebhookId,
        news: GatewayPayment | GatewayRefund | Verdict,
        paid: GatewayPayment | None = None,
    ) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            if isinstance(news, GatewayPayment):
                await self._follow_payment(work, news, now)
            elif isinstance(news, GatewayRefund):
                await self._follow_refund(work, news, paid, now)


class OneMessageOfAKind(ReceiveWebhook):
    """Takes two messages of one kind about one payment for the same message, told twice."""

    async def __call__(self, actor: Actor, sender: str, raw: bytes, headers: Mapping[str, str]) -> Webhook:
        notice = self.verifiers[sender].verify(raw, headers)
        async with self.begin(actor) as work:
            known = await work.webhooks.first(sender=sender, payment_ref=notice.payment_ref, kind=notice.kind)
        return known or await ReceiveWebhook.__call__(self, actor, sender, raw, headers)


class TakesSilenceForNo(AskRefund):
    """A gateway that does not answer in time has refused: the money is free to be given back another way."""

    async def __call__(self, actor: Actor, event: RefundRequested) -> None:
        await _guess(self, actor, event, lambda refund: Declined("the gateway did not answer"))


class TakesSilenceForYes(AskRefund):
    """A gateway that does not answer in time will have done it."""

    async def __call__(self, actor: Actor, event: RefundRequested) -> None:
        def sent(refund: Any) -> GatewayRefund:
            return GatewayRefund(
                gateway=refund.gateway,
                ref=f"assumed_{refund.id}",
                refund_id=RefundId(refund.id),
                payment_ref=None,
                state=RefundState.SUCCEEDED,
                amount=refund.amount,
            )

        await _guess(self, actor, event, sent)


async def _guess(self: AskRefund, actor: Actor, event: RefundRequested, guess: Any) -> None:
    async with self.begin(actor) as work:
        refund = await work.refunds.get(event.refund_id)
        payment = await work.payments.get(refund.payment_id)
    if refund.state is not RefundState.REQUESTED:
        return
    answer = await ask_to_refund(self.gateway, refund, payment)
    async with self.begin(actor) as work:
        refund = await work.refunds.get(event.refund_id)
        payment = await work.payments.get(refund.payment_id)
        known = guess(refund) if isinstance(answer, GatewaySilent) else answer
        take_sending(work, refund, payment, known, ids=self.ids, now=self.clock.now())


class NeverAsksAgain(ResolveUnknown):
    """What the gateway did not answer stays unanswered."""

    async def __call__(self, actor: Actor, event: PaymentDoubted | RefundDoubted) -> None:
        """Nothing."""


class BelievesTheReturnPage(RefreshPayment):
    """The customer's return settles the payment in a way of its own, which knows nothing of the books."""

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> Payment:
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
        if payment.gateway_ref is None:
            return payment
        news = await self.gateway.find(payment.gateway_ref)
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            payment.settle(news, now=self.clock.now())
            return work.answer(payment)


class OneKeyPerPayment:
    """A refund's key is that of its payment: the second one is taken for the first."""

    def __init__(self, good: Any) -> None:
        self._good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self._good, name)

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        """The gateway's answer to the first refund under that key."""
        key = RefundId(uuid5(NAMESPACE_URL, order.payment_ref))
        answer: GatewayRefund = await self._good.refund(replace(order, refund_id=key))
        return replace(answer, refund_id=order.refund_id)
