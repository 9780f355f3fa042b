"""Putting right: what the gateway knows and we do not is told to ourselves, by a message like its own; what does not
fit even then is filed for a person."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from application.payments.following import ProcessPayees
from application.payments.hearing import Inbox, ProcessWebhook
from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.ids import Ids
from application.ports.payees import PayeeDesk, Shares
from application.ports.payments import Notice, PaymentGateway
from application.ports.unit_of_work import Begin
from domain.payments import Count, Discrepancy, DiscrepancyKind, Payment, Topic, WebhookReceived
from domain.shared.actors import Actor
from domain.shared.errors import StaleVersion
from domain.shared.ids import DiscrepancyId, PaymentId, ReconciliationId, WebhookId

_TRIES = 3
NOTHING = Count()


def counted(looked_at: int, came: Iterable[Count]) -> Count:
    """What came of a sheet or page of so many."""
    told = list(came)
    return Count(
        looked_at=looked_at, repaired=sum(each.repaired for each in told), filed=sum(each.filed for each in told)
    )


def both(first: Count, second: Count) -> Count:
    """What came of two things together."""
    return counted(first.looked_at + second.looked_at, [first, second])


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something that does not fit: what it is about and under which references the gateway is asked about it."""

    about: str
    ref: str
    payment_ref: str | None = None
    refund_ref: str | None = None
    thing: str | None = None
    """Of an organization's account: a "payee", "payout" or "transfer", as messages name it, under `thing_ref`."""
    thing_ref: str | None = None
    payee_ref: str | None = None

    @property
    def topic(self) -> Topic:
        """Whose message it would be."""
        return Topic.MONEY if self.thing is None else Topic.PAYEES


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRight:
    """Acts for one reconciliation. Each thing is told once in it, however often it is met."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway
    payee_desk: PayeeDesk
    shares: Shares
    actor: Actor
    run_id: ReconciliationId

    async def by_telling(self, doubt: Doubt, odd: Callable[[], Awaitable["Oddity | None"]]) -> Count:
        """Hear of it as a message of the gateway is heard of, and look again (`odd`); what is odd still, is filed."""
        await self._tell(doubt)
        still = await odd()
        if still is None:
            return Count(repaired=1)
        return await self.file(doubt, still)

    async def file(self, doubt: Doubt, odd: "Oddity") -> Count:
        """Leave it to a person, once."""
        about = odd.about or doubt.about
        async with self.begin(self.actor) as work:
            known = await work.discrepancies.first(
                gateway=self.gateway.name, about=about, gateway_ref=doubt.ref, kind=odd.kind, said=odd.said
            )
            if known is not None:
                return Count(filed=known.differ())
            work.discrepancies.add(
                Discrepancy(
                    id=DiscrepancyId(self.ids.new()),
                    gateway=self.gateway.name,
                    kind=odd.kind,
                    about=about,
                    gateway_ref=doubt.ref,
                    payment_id=PaymentId(odd.payment.id) if odd.payment else None,
                    said=odd.said,
                    found_at=self.clock.now(),
                )
            )
        return Count(filed=1)

    async def fit(self, about: str, refs: Iterable[str]) -> None:
        """These say the same on both sides: what was filed of them needs nobody any more."""
        among = AnyOf(tuple(refs))
        if not among.values:
            return
        async with self.begin(self.actor) as work:
            left = await work.discrepancies.find(
                gateway=self.gateway.name, about=about, gateway_ref=among, closed_at=None
            )
            for discrepancy in left:
                discrepancy.fit(now=self.clock.now())

    async def _tell(self, doubt: Doubt) -> None:
        """The same use case that follows a webhook does this: what it brings about has its mark in the inbox."""
        notice = Notice(
            external_id=f"reconcile:{self.run_id}:{doubt.about}:{doubt.ref}",
            kind=f"reconcile.{doubt.about}",
            occurred_at=self.clock.now(),
            payment_ref=doubt.payment_ref,
            refund_ref=doubt.refund_ref,
            topic=doubt.topic,
            thing=doubt.thing,
            thing_ref=doubt.thing_ref,
            payee_ref=doubt.payee_ref,
        )
        inbox = Inbox(begin=self.begin, clock=self.clock, ids=self.ids)
        webhook, _ = await inbox.keep(self.actor, notice, self.gateway.name, "")
        process = self._process(doubt.topic)
        for attempt in range(1, _TRIES + 1):
            try:
                await process(self.actor, WebhookReceived(webhook_id=WebhookId(webhook.id)))
                return
            except StaleVersion:
                if attempt == _TRIES:
                    raise  # the message is in the inbox, and the worker's by now

    def _process(self, topic: Topic) -> ProcessWebhook | ProcessPayees:
        if topic is Topic.MONEY:
            return ProcessWebhook(begin=self.begin, clock=self.clock, ids=self.ids, gateway=self.gateway)
        return ProcessPayees(
            begin=self.begin, clock=self.clock, ids=self.ids, payee_desk=self.payee_desk, shares=self.shares
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """How something does not fit, and the payment of ours that it is about."""

    kind: DiscrepancyKind
    said: str
    about: str = ""
    """What it is about, where that is not what was doubted."""
    payment: Payment | None = None
