"""Ways of hearing a gateway's messages that cost others money. Each must be caught by the payment stories."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from application.payments import ProcessWebhook
from application.payments.hearing import Verdict
from application.payments.settling import post
from application.ports.unit_of_work import Work
from domain.payments import (
    GatewayPayment,
    GatewayRefund,
    Outcome,
    PaymentState,
    RefundState,
    WebhookReceived,
    refund_entries,
    settle_refund,
)
from domain.shared.actors import Actor
from domain.shared.money import Money


class MarkedFirst(ProcessWebhook):
    """Writes "processed" before it has acted, in a commit of its own."""

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
            if webhook.is_processed:
                return
            webhook.process(Outcome.SETTLED, now=self.clock.now())
        news = await self._ask(webhook)
        await self._act(actor, event.webhook_id, news)


class PostingTotals(ProcessWebhook):
    """Takes what a payment has given back so far for what this refund gave back."""

    async def _follow_refund(
        self, work: Work, news: GatewayRefund, paid: GatewayPayment | None, now: datetime
    ) -> Verdict:
        refund = await work.refunds.first(id=news.refund_id)
        if refund is None:
            return await ProcessWebhook._follow_refund(self, work, news, paid, now)
        payment = await work.payments.get(refund.payment_id)
        gone = settle_refund(refund, payment, news, now=now)
        total = payment.refunded if not gone.is_zero else Money.zero(gone.currency)
        post(work, refund_entries(payment, refund, total, new=self.ids.new, now=now))
        return Outcome.SETTLED, ""


class LastWordWins(ProcessWebhook):
    """Believes whatever it heard last."""

    async def _follow_payment(self, work: Work, news: GatewayPayment, now: datetime) -> Verdict:
        verdict = await ProcessWebhook._follow_payment(self, work, news, now)
        payment = await work.payments.first(id=news.payment_id)
        if payment is not None and news.state is not PaymentState.CAPTURED:
            payment.state = news.state
        return verdict


class GivenBackBeforeItCame(ProcessWebhook):
    """Knows nothing of a refund whose payment it has not heard of."""

    async def _follow_refund(
        self, work: Work, news: GatewayRefund, paid: GatewayPayment | None, now: datetime
    ) -> Verdict:
        payment = await work.payments.first(gateway=news.gateway, gateway_ref=news.payment_ref or "")
        if payment is None or not payment.is_captured:
            return Outcome.SETTLED, "no refund of ours"
        return await ProcessWebhook._follow_refund(self, work, news, paid, now)


class RefundsNeverComeBack(ProcessWebhook):
    """A refund that succeeded stays so, whatever the bank does."""

    async def _follow_refund(
        self, work: Work, news: GatewayRefund, paid: GatewayPayment | None, now: datetime
    ) -> Verdict:
        refund = await work.refunds.first(id=news.refund_id)
        if refund is not None and refund.state is RefundState.SUCCEEDED:
            return Outcome.SETTLED, ""
        return await ProcessWebhook._follow_refund(self, work, news, paid, now)


def instead(planted: type[ProcessWebhook]) -> Mapping[type, Callable[[Any], Any]]:
    """This one in the place of ours, wired alike."""

    def made(shop: Any) -> ProcessWebhook:
        return planted(**{field.name: shop.ports[field.name] for field in fields(ProcessWebhook)})

    return {ProcessWebhook: made}


PLANTED: dict[str, type[ProcessWebhook]] = {
    "mark processed first": MarkedFirst,
    "cumulative amount posted as delta": PostingTotals,
    "the last word wins": LastWordWins,
    "a refund before its payment is nobody's": GivenBackBeforeItCame,
    "a returned refund stays gone": RefundsNeverComeBack,
}
