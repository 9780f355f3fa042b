"""Following payees: every message about an account, a payout, a transfer or a fee is a hint to ask how that stands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from application.payments.settling import post
from application.payments.sharing import post_share
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payees import PayeeDesk, Shares
from application.ports.unit_of_work import Begin, Work
from domain.payments import (
    GatewayDisagrees,
    GatewayPayout,
    Outcome,
    Payee,
    Payout,
    SourceKind,
    Topic,
    Webhook,
    WebhookReceived,
    payout_entries,
)
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, StaleVersion
from domain.shared.ids import PayeeId, PayoutId

Verdict = tuple[Outcome, str]
Effect = Callable[[Work], Awaitable[Verdict]]
"""What a message brings about, in the commit that marks it as processed."""

_MOVED_BY = {"transfer": SourceKind.TRANSFER, "fee": SourceKind.FEE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPayees:
    """A message about an account, a payout, a transfer or a fee is a hint: ask the gateway how that stands now, and
    follow it. The effect, its ledger entries and the mark that the message was processed are one commit."""

    begin: Begin
    clock: Clock
    ids: Ids
    payee_desk: PayeeDesk
    shares: Shares

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
        if webhook.is_processed or webhook.topic is not Topic.PAYEES:
            return
        try:
            await self._act(actor, webhook, await self._ask(actor, webhook))
        except GatewayDisagrees as odd:
            await self._act(actor, webhook, _nothing(Outcome.ATTENTION, odd.message))

    async def _act(self, actor: Actor, webhook: Webhook, effect: Effect) -> None:
        async with self.begin(actor) as work:
            kept = await work.webhooks.get(webhook.id)
            outcome, note = await effect(work)
            kept.process(outcome, note=note, now=self.clock.now())

    async def _ask(self, actor: Actor, webhook: Webhook) -> Effect:
        """How the thing stands now, and what follows from it."""
        if webhook.sender != self.payee_desk.name:
            return _nothing(Outcome.IGNORED, f"{webhook.sender} is not the gateway in use")
        ref = webhook.thing_ref or ""
        try:
            match webhook.thing:
                case "payee":
                    return await self._payee(actor, ref)
                case "payout" if webhook.payee_ref is None:
                    return _nothing(Outcome.IGNORED, "a payout of the platform's own")
                case "payout":
                    return await self._payout(webhook.payee_ref or "", ref)
                case "transfer" | "fee" as thing:
                    return await self._moved(actor, _MOVED_BY[thing], ref)
        except NotFound:
            return _nothing(Outcome.UNMATCHED, "the gateway does not know it")
        return _nothing(Outcome.IGNORED, "not about anything we follow")

    async def _payee(self, actor: Actor, ref: str) -> Effect:
        async with self.begin(actor) as work:
            known = await work.payees.first(gateway=self.payee_desk.name, gateway_ref=ref)
        if known is None:
            return _nothing(Outcome.UNMATCHED, "no payee of ours that we know of yet")
        seen, news = known.version, await self.payee_desk.find(ref)

        async def effect(work: Work) -> Verdict:
            payee = await work.payees.get(known.id)
            if payee.version != seen:
                raise StaleVersion("the payee was followed meanwhile")
            payee.follow(news)
            return Outcome.SETTLED, ""

        return effect

    async def _payout(self, payee_ref: str, ref: str) -> Effect:
        news = await self.shares.payout(payee_ref, ref)

        async def effect(work: Work) -> Verdict:
            payee = await work.payees.first(gateway=news.gateway, gateway_ref=payee_ref)
            if payee is None:
                return Outcome.UNMATCHED, "no payee of ours"
            await follow_payout(work, payee, news, ids=self.ids, now=self.clock.now())
            return Outcome.SETTLED, ""

        return effect

    async def _moved(self, actor: Actor, kind: SourceKind, ref: str) -> Effect:
        """The whole share of its payment is asked for, once we have heard that it was captured."""
        payment_ref = await self.shares.behind(kind, ref)
        async with self.begin(actor) as work:
            payment = await work.payments.first(gateway=self.payee_desk.name, gateway_ref=payment_ref)
        if payment is None:
            return _nothing(Outcome.UNMATCHED, "of no payment of ours that we know of")
        if not payment.is_captured:
            return _nothing(Outcome.SETTLED, "its payment's capture is still to be heard of, and asks for it")
        payment_id, news = payment.id, await self.shares.share(payment_ref)

        async def effect(work: Work) -> Verdict:
            await post_share(work, await work.payments.get(payment_id), news, ids=self.ids, now=self.clock.now())
            return Outcome.SETTLED, ""

        return effect


async def follow_payout(work: Work, payee: Payee, news: GatewayPayout, *, ids: Ids, now: datetime) -> Payout:
    """Settle a payout by news of it, known or not; what reached the bank, or came back, goes into the ledger."""
    payout = await work.payouts.first(gateway=news.gateway, gateway_ref=news.ref)
    if payout is None:
        payout = Payout.adopt(
            news,
            id=PayoutId(ids.new()),
            payee_id=PayeeId(payee.id),
            organization_id=payee.organization_id,
            now=now,
        )
        work.payouts.add(payout)
    gone = payout.settle(news, now=now)
    post(work, payout_entries(payout, gone, new=ids.new, now=now))
    return payout


def _nothing(outcome: Outcome, note: str) -> Effect:
    async def effect(_: Work) -> Verdict:
        return outcome, note

    return effect
