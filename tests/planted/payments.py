"""Ways of hearing a gateway's messages that cost others money. Each must be caught by the payment stories."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from application.payments import (
    AskCapture,
    AskRefund,
    FollowShare,
    HearOfDispute,
    ProcessPayees,
    ProcessWebhook,
    RefundAfterDispute,
    SendEvidence,
)
from application.payments.hearing import Verdict
from application.payments.settling import post
from application.payments.sharing import post_share
from application.ports.disputes import EvidenceOrder
from application.ports.payments import Declined, RefundOrder
from application.ports.unit_of_work import Work
from domain.payments import (
    DisputeClosed,
    EvidenceSubmitted,
    GatewayDispute,
    GatewayPayee,
    GatewayPayment,
    GatewayRefund,
    GatewayWarning,
    Outcome,
    Payment,
    PaymentCaptured,
    PaymentState,
    PayoutState,
    RefundFailed,
    RefundRequested,
    RefundState,
    RefundSucceeded,
    SourceKind,
    Webhook,
    WebhookReceived,
    payout_entries,
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


class KeepsTheFee(AskRefund):
    """Gives the customer everything, and the organization nothing of the fee."""

    async def __call__(self, actor: Actor, event: RefundRequested) -> None:
        await AskRefund.__call__(replace(self, gateway=_Keeping(self.gateway)), actor, event)


class _Keeping:
    def __init__(self, good: Any) -> None:
        self._good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self._good, name)

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        """Without the fee."""
        answer: GatewayRefund = await self._good.refund(replace(order, fee_back=False))
        return answer


class ReversesTwice(FollowShare):
    """Books what came back for every event that tells of it, under the event's own id."""

    async def __call__(self, actor: Actor, event: PaymentCaptured | RefundSucceeded | RefundFailed) -> None:
        await FollowShare.__call__(self, actor, event)
        if not isinstance(event, RefundSucceeded):
            return
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
        if payment.share is None or payment.gateway_ref is None:
            return
        news = await self.shares.share(payment.gateway_ref)
        again = tuple(
            replace(each, ref=f"{each.ref}_{event.refund_id}")
            for each in news.moved
            if each.kind is SourceKind.TRANSFER_REVERSED
        )
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            await post_share(work, payment, replace(news, moved=again), ids=self.ids, now=self.clock.now())


class PaysOutTwice(ProcessPayees):
    """Books a payout at every message that tells it was paid."""

    async def _act(self, actor: Actor, webhook: Webhook, effect: Any) -> None:
        await ProcessPayees._act(self, actor, webhook, effect)
        if webhook.thing != "payout":
            return
        async with self.begin(actor) as work:
            payout = await work.payouts.first(gateway_ref=webhook.thing_ref)
            if payout is not None and payout.state is PayoutState.PAID:
                entries = payout_entries(payout, payout.amount, new=self.ids.new, now=self.clock.now())
                post(work, (replace(entry, source_id=f"{entry.source_id}_{webhook.id}") for entry in entries))


class BelievesTheMessage(ProcessPayees):
    """Takes a message about an account for how it stands, and does not ask."""

    async def _payee(self, actor: Actor, ref: str) -> Any:
        gateway = self.payee_desk.name

        async def effect(work: Work) -> Verdict:
            payee = await work.payees.first(gateway=gateway, gateway_ref=ref)
            if payee is not None:
                payee.follow(GatewayPayee(gateway=gateway, ref=ref, takes_charges=True, pays_out=True, submitted=True))
            return Outcome.SETTLED, ""

        return effect


class BookingEachMessage(HearOfDispute):
    """Books what a bank has taken with every message that says so."""

    async def _follow(
        self, work: Work, news: GatewayDispute | GatewayWarning, paid: GatewayPayment | None, now: datetime
    ) -> Verdict:
        known = await work.disputes.first(gateway=news.gateway, gateway_ref=news.ref)
        if known is not None:
            known.taken = Money.zero(known.taken.currency)
        return await HearOfDispute._follow(self, work, news, paid, now)


class BelievedInTime(SendEvidence):
    """Takes evidence for given once it was sent, whatever the gateway says of its deadline."""

    async def __call__(self, actor: Actor, event: EvidenceSubmitted) -> None:
        async with self.begin(actor) as work:
            dispute = await work.disputes.get(event.dispute_id)
            order = EvidenceOrder(
                dispute_id=event.dispute_id,
                dispute_ref=dispute.gateway_ref,
                evidence=dispute.evidence,
                document=None,
            )
            with suppress(Declined):
                await self.dispute_desk.answer(order)
            dispute.taken_note_of(now=self.clock.now())


class TakingItAll(AskCapture):
    """Takes all that is set aside, whatever was decided."""

    async def _ask(self, payment: Payment, amount: Money) -> tuple[GatewayPayment, str]:
        return await AskCapture._ask(self, payment, payment.amount)


class ForgettingWhatWaited(RefundAfterDispute):
    """Forgets what waited for the end of a dispute."""

    async def __call__(self, actor: Actor, event: DisputeClosed) -> None:
        return


def instead(planted: type[Any]) -> Mapping[type, Callable[[Any], Any]]:
    """This one in the place of ours, wired alike."""
    ours = planted.__mro__[1]

    def made(shop: Any) -> Any:
        return planted(**{field.name: shop.ports[field.name] for field in fields(ours)})

    return {ours: made}


PLANTED: dict[str, type[Any]] = {
    "a dispute booked with every message": BookingEachMessage,
    "evidence taken for given after its deadline": BelievedInTime,
    "more taken than was decided": TakingItAll,
    "what waited for a dispute forgotten": ForgettingWhatWaited,
    "mark processed first": MarkedFirst,
    "cumulative amount posted as delta": PostingTotals,
    "the last word wins": LastWordWins,
    "a refund before its payment is nobody's": GivenBackBeforeItCame,
    "a returned refund stays gone": RefundsNeverComeBack,
    "the fee is kept on a full refund": KeepsTheFee,
    "a transfer is reversed twice": ReversesTwice,
    "a payout is booked twice": PaysOutTwice,
    "an account stands as the message says": BelievesTheMessage,
}
