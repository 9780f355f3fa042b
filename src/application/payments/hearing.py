"""Hearing: what senders tell us is verified, kept, and acted on later by asking how things really stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.payments.reading import given
from application.payments.settling import follow, follow_refund
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.payments import (
    BadSignature,
    MalformedWebhook,
    Notice,
    PaymentGateway,
    StaleSignature,
    WebhookVerifier,
)
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from domain.payments import (
    DuplicateWebhook,
    GatewayDisagrees,
    GatewayPayment,
    GatewayRefund,
    Outcome,
    Payment,
    Refund,
    RefundTooLarge,
    Topic,
    Webhook,
    WebhookReceived,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from domain.shared.ids import RefundId, WebhookId

Verdict = tuple[Outcome, str]


class UnknownSender(NotFound):
    """We take no messages from a sender of that name."""

    code = "webhook.unknown_sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A message in the inbox, and what came of it."""

    source: ClassVar[str] = "webhooks"
    id: WebhookId
    sender: str
    external_id: str
    kind: str
    payment_ref: str | None
    refund_ref: str | None
    occurred_at: datetime
    received_at: datetime
    processed_at: datetime | None
    outcome: Outcome
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveWebhook:
    """Keep what a sender tells us, once its signature is verified on the raw bytes. Told twice, it is kept once."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (UnknownSender, BadSignature, StaleSignature, MalformedWebhook)
    begin: Begin
    clock: Clock
    ids: Ids
    verifiers: Mapping[str, WebhookVerifier]

    async def __call__(self, actor: Actor, sender: str, raw: bytes, headers: Mapping[str, str]) -> Webhook:
        verifier = self.verifiers.get(sender)
        if verifier is None:
            raise UnknownSender(f"we take no messages from {sender!r}", sender=sender)
        notice = verifier.verify(raw, headers)
        inbox = Inbox(begin=self.begin, clock=self.clock, ids=self.ids)
        webhook, _ = await inbox.keep(actor, notice, sender, raw.decode())
        return webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Where messages wait for the worker, however they came: each of a sender's once."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def keep(self, actor: Actor, notice: Notice, sender: str, payload: str) -> tuple[Webhook, bool]:
        """The message as it is kept, and whether it was new. Nearly all are: nobody looks first, the store tells."""
        try:
            async with self.begin(actor) as work:
                webhook = Webhook.receive(
                    id=WebhookId(self.ids.new()),
                    topic=notice.topic,
                    sender=sender,
                    external_id=notice.external_id,
                    kind=notice.kind,
                    payment_ref=notice.payment_ref,
                    refund_ref=notice.refund_ref,
                    thing=notice.thing,
                    thing_ref=notice.thing_ref,
                    payee_ref=notice.payee_ref,
                    payload=payload,
                    occurred_at=notice.occurred_at,
                    now=self.clock.now(),
                )
                work.webhooks.add(webhook)
            return webhook, True
        except DuplicateWebhook:
            return await self._told_before(actor, sender, notice.external_id), False

    async def _told_before(self, actor: Actor, sender: str, external_id: str) -> Webhook:
        async with self.begin(actor) as work:
            known = await work.webhooks.first(sender=sender, external_id=external_id)
        if known is None:
            raise DuplicateWebhook("this was received before", sender=sender)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWebhooks:
    """What senders told us and what came of it, the latest first; admins only."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)
    readers: Readers

    async def __call__(
        self,
        actor: Actor,
        *,
        sender: str | None = None,
        outcome: Outcome | None = None,
        after: Position | None = None,
        limit: int,
    ) -> Page[WebhookView]:
        actor.must_be_admin()
        where = given(sender=sender, outcome=outcome)
        order = Order("received_at", descending=True)
        return await self.readers.page(actor, WebhookView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayWebhook:
    """Act on a received message again; what it already brought about is not brought about twice."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden, NotFound)
    begin: Begin

    async def __call__(self, actor: Actor, webhook_id: WebhookId) -> Webhook:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(webhook_id)
            webhook.replay()
            return work.answer(webhook)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessWebhook:
    """A message is a hint: ask its sender how the payment or refund stands now, and follow that. The effect, its ledger
    entries and the mark that the message was processed are one commit."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
        if webhook.is_processed or webhook.topic is not Topic.MONEY or webhook.thing is not None:
            return
        news = await self._ask(webhook)
        try:
            try:
                await self._act(actor, event.webhook_id, news)
            except _NotHeardOfYet as early:
                await self._act(actor, event.webhook_id, *await self._ask_both(news, early.payment_ref))
        except (GatewayDisagrees, RefundTooLarge) as odd:
            await self._act(actor, event.webhook_id, (Outcome.ATTENTION, odd.message))

    async def _ask(self, webhook: Webhook) -> GatewayPayment | GatewayRefund | Verdict:
        """How the thing the message is about stands now, or why there is nothing to ask."""
        if webhook.sender != self.gateway.name:
            return Outcome.IGNORED, f"{webhook.sender} is not the gateway in use"
        try:
            if webhook.refund_ref is not None:
                return await self.gateway.find_refund(webhook.refund_ref)
            if webhook.payment_ref is not None:
                return await self.gateway.find(webhook.payment_ref)
        except NotFound:
            return Outcome.UNMATCHED, "the gateway does not know it"
        return Outcome.IGNORED, "not about a payment or refund"

    async def _ask_both(
        self, news: GatewayPayment | GatewayRefund | Verdict, payment_ref: str
    ) -> tuple[GatewayPayment | GatewayRefund | Verdict, GatewayPayment | None]:
        """The same news, and how the payment behind it stands."""
        try:
            return news, await self.gateway.find(payment_ref)
        except NotFound:
            return (Outcome.UNMATCHED, "the gateway does not know its payment"), None

    async def _act(
        self,
        actor: Actor,
        id: WebhookId,
        news: GatewayPayment | GatewayRefund | Verdict,
        paid: GatewayPayment | None = None,
    ) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(id)
            match news:
                case GatewayPayment():
                    outcome, note = await self._follow_payment(work, news, now)
                case GatewayRefund():
                    outcome, note = await self._follow_refund(work, news, paid, now)
                case _:
                    outcome, note = news
            webhook.process(outcome, note=note, now=now)

    async def _follow_payment(self, work: Work, news: GatewayPayment, now: datetime) -> Verdict:
        payment = await _payment(work, news)
        if payment is None:
            return Outcome.UNMATCHED, "no payment of ours"
        if payment.contradicts(news):
            return Outcome.ATTENTION, f"captured twice, the second time as {news.ref}"
        follow(work, payment, news, ids=self.ids, now=now)
        return Outcome.SETTLED, ""

    async def _follow_refund(
        self, work: Work, news: GatewayRefund, paid: GatewayPayment | None, now: datetime
    ) -> Verdict:
        """A refund made by hand can be heard of before the money it gives back: then that is asked about first."""
        refund = await _refund(work, news)
        if refund is None:
            payment = await _payment(work, paid) if paid else await _refunded(work, news)
            if paid is None and news.payment_ref and not (payment and payment.is_captured):
                raise _NotHeardOfYet(news.payment_ref)
            if payment and paid and not payment.is_captured:
                follow(work, payment, paid, ids=self.ids, now=now)
            if payment is None or not payment.is_captured or payment.gateway_ref != news.payment_ref:
                return Outcome.UNMATCHED, "no refund of ours"
            refund = Refund.adopt(id=RefundId(self.ids.new()), payment=payment, news=news, now=now)
            work.refunds.add(refund)
        else:
            payment = await work.payments.get(refund.payment_id)
        follow_refund(work, refund, payment, news, ids=self.ids, now=now)
        return Outcome.SETTLED, ""


class _NotHeardOfYet(Exception):
    """Money goes back that we do not know to have come."""

    def __init__(self, payment_ref: str) -> None:
        super().__init__(payment_ref)
        self.payment_ref = payment_ref


async def _payment(work: Work, news: GatewayPayment) -> Payment | None:
    """Ours by the id it carries (we may not have stored its reference yet), else by its reference."""
    if news.payment_id is not None and (ours := await work.payments.first(id=news.payment_id)):
        return ours
    return await work.payments.first(gateway=news.gateway, gateway_ref=news.ref)


async def _refunded(work: Work, news: GatewayRefund) -> Payment | None:
    return await work.payments.first(gateway=news.gateway, gateway_ref=news.payment_ref or "")


async def _refund(work: Work, news: GatewayRefund) -> Refund | None:
    if news.refund_id is not None and (ours := await work.refunds.first(id=news.refund_id)):
        return ours
    return await work.refunds.first(gateway=news.gateway, gateway_ref=news.ref)
