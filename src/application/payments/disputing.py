"""Disputes and warnings: what customers' banks ask, heard as hints and followed."""

from dataclasses import dataclass
from datetime import datetime

from application.payments.settling import follow, post
from application.ports.clock import Clock
from application.ports.disputes import DisputeDesk
from application.ports.ids import Ids
from application.ports.payments import PaymentGateway
from application.ports.unit_of_work import Begin, Work
from domain.payments import (
    ASKED_AFTER,
    REMINDED,
    Dispute,
    DisputeDue,
    EvidenceDue,
    FraudWarning,
    GatewayDisagrees,
    GatewayDispute,
    GatewayPayment,
    GatewayWarning,
    Outcome,
    Payment,
    Topic,
    Webhook,
    WebhookReceived,
    dispute_entries,
    settle_dispute,
)
from domain.shared.actors import Actor
from domain.shared.errors import NotFound
from domain.shared.ids import DisputeId, FraudWarningId

Verdict = tuple[Outcome, str]
News = GatewayDispute | GatewayWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class HearOfDispute:
    """A message about a dispute or a warning is a hint: ask how it stands now, and follow that. What banks moved goes
    into the ledger in the commit that marks the message as processed, whatever the order and number of messages."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    dispute_desk: DisputeDesk

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
        if webhook.is_processed or webhook.topic is not Topic.MONEY or webhook.thing not in ("dispute", "warning"):
            return
        news = await self._ask(webhook)
        try:
            try:
                await self._act(actor, webhook, news, None)
            except _NotHeardOfYet as early:
                await self._act(actor, webhook, news, await self._paid(early.payment_ref))
        except GatewayDisagrees as odd:
            await self._act(actor, webhook, (Outcome.ATTENTION, odd.message), None)

    async def _ask(self, webhook: Webhook) -> News | Verdict:
        if webhook.sender != self.gateway.name:
            return Outcome.IGNORED, f"{webhook.sender} is not the gateway in use"
        find = self.dispute_desk.find_dispute if webhook.thing == "dispute" else self.dispute_desk.find_warning
        try:
            return await find(webhook.thing_ref or "")
        except NotFound:
            return Outcome.UNMATCHED, "the gateway does not know it"

    async def _paid(self, payment_ref: str) -> GatewayPayment | Verdict:
        try:
            return await self.gateway.find(payment_ref)
        except NotFound:
            return Outcome.UNMATCHED, "the gateway does not know its payment"

    async def _act(
        self, actor: Actor, heard: Webhook, news: News | Verdict, paid: GatewayPayment | Verdict | None
    ) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(heard.id)
            if isinstance(news, tuple):
                outcome, note = news
            elif isinstance(paid, tuple):
                outcome, note = paid
            else:
                outcome, note = await self._follow(work, news, paid, now)
            webhook.process(outcome, note=note, now=now)

    async def _follow(self, work: Work, news: News, paid: GatewayPayment | None, now: datetime) -> Verdict:
        """A dispute can be heard of before the money it is about: then that is asked about first."""
        payment = await work.payments.first(gateway=news.gateway, gateway_ref=news.payment_ref)
        if payment is None and paid is not None and paid.payment_id is not None:
            payment = await work.payments.first(id=paid.payment_id)
        if paid is None and not (payment and payment.is_captured):
            raise _NotHeardOfYet(news.payment_ref)
        if payment and paid and not payment.is_captured:
            follow(work, payment, paid, ids=self.ids, now=now)
        if payment is None or not payment.is_captured or payment.gateway_ref != news.payment_ref:
            return Outcome.UNMATCHED, "no payment of ours"
        match news:
            case GatewayDispute():
                await follow_dispute(work, payment, news, ids=self.ids, now=now)
            case GatewayWarning():
                await _follow_warning(work, payment, news, ids=self.ids, now=now)
        return Outcome.SETTLED, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAboutDispute:
    """When its deadline has passed the gateway is asked how a dispute stands, should its message have been lost."""

    begin: Begin
    clock: Clock
    ids: Ids
    dispute_desk: DisputeDesk

    async def __call__(self, actor: Actor, event: DisputeDue) -> None:
        async with self.begin(actor) as work:
            dispute = await work.disputes.get(event.dispute_id)
        if dispute.closed_at is not None:
            return
        news = await self.dispute_desk.find_dispute(dispute.gateway_ref)
        async with self.begin(actor) as work:
            # The payment first: read after its dispute, it may know already what that does not.
            payment = await work.payments.get(dispute.payment_id)
            dispute = await work.disputes.get(event.dispute_id)
            move_dispute(work, dispute, payment, news, ids=self.ids, now=self.clock.now())


async def follow_dispute(work: Work, payment: Payment, news: GatewayDispute, *, ids: Ids, now: datetime) -> None:
    """Settle a dispute, one we did not know of included, by news of it."""
    dispute = await work.disputes.first(gateway=news.gateway, gateway_ref=news.ref)
    if dispute is None:
        booking = await work.bookings.get(payment.booking_id) if payment.booking_id else None
        provider_id = booking.provider_id if booking else None
        dispute = Dispute.adopt(id=DisputeId(ids.new()), payment=payment, provider_id=provider_id, news=news, now=now)
        work.disputes.add(dispute)
    move_dispute(work, dispute, payment, news, ids=ids, now=now)


def move_dispute(
    work: Work, dispute: Dispute, payment: Payment, news: GatewayDispute, *, ids: Ids, now: datetime
) -> None:
    """Settle a known dispute by news of it; what was moved goes into the ledger, and before a deadline we remind."""
    due_before = dispute.due_at
    moved = settle_dispute(dispute, payment, news, now=now)
    post(work, dispute_entries(payment, dispute, moved, new=ids.new, now=now))
    due = dispute.due_at
    if due is None or due == due_before or not dispute.is_answerable:
        return
    work.schedule(DisputeDue(dispute_id=DisputeId(dispute.id)), about=dispute, at=due + ASKED_AFTER)
    if now < due - REMINDED:
        reminder = EvidenceDue(
            dispute_id=DisputeId(dispute.id),
            payment_id=dispute.payment_id,
            booking_id=dispute.booking_id,
            invoice_id=dispute.invoice_id,
        )
        work.schedule(reminder, about=dispute, at=due - REMINDED)


async def _follow_warning(work: Work, payment: Payment, news: GatewayWarning, *, ids: Ids, now: datetime) -> None:
    warning = await work.fraud_warnings.first(gateway=news.gateway, gateway_ref=news.ref)
    if warning is None:
        work.fraud_warnings.add(FraudWarning.take(id=FraudWarningId(ids.new()), payment=payment, news=news, now=now))
    else:
        warning.follow(news)


class _NotHeardOfYet(Exception):
    """A bank asks for money that we do not know to have come."""

    def __init__(self, payment_ref: str) -> None:
        super().__init__(payment_ref)
        self.payment_ref = payment_ref
