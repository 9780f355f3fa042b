"""Payees: organizations with accounts of their own at the gateway, got or made once, and followed by asking."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.parties import theirs
from application.payments.reading import given
from application.payments.sharing import post_share
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.payees import PayeeDesk, PayeeOrder, Shares
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from application.sharing import NOTHING_SHARED, Sharing
from domain.organizations import MayNotManage, MemberRole, Permission
from domain.payments import (
    GatewayDisagrees,
    GatewayPayout,
    NotSharedHere,
    Outcome,
    Payee,
    PayeeRejected,
    PayeeState,
    Payout,
    PayoutState,
    SourceKind,
    Topic,
    Webhook,
    WebhookReceived,
    payout_entries,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, NotFound, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import OrganizationId, PayeeId, PayoutId, UserId
from domain.shared.money import Money

Verdict = tuple[Outcome, str]
Effect = Callable[[Work], Awaitable[Verdict]]
"""What a message brings about, in the commit that marks it as processed."""

_NEWEST = Order("created_at", descending=True)
_MOVED_BY = {"transfer": SourceKind.TRANSFER, "fee": SourceKind.FEE}


@dataclass(frozen=True, slots=True, kw_only=True)
class BecomePayee:
    """Be paid on an account of your organization's own: got if there is one, meant to be made if not, by an owner.
    However often and at once it is asked, there is one."""

    begin: Begin
    clock: Clock
    ids: Ids
    sharing: Sharing = NOTHING_SHARED
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound, NotSharedHere)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Payee:
        if not self.sharing.gateway:
            raise NotSharedHere
        async with self.begin(actor) as work:
            _, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.MANAGE_BILLING)
            payee = await work.payees.first(organization_id=organization_id, gateway=self.sharing.gateway)
            if payee is None:
                # Of two at once one is refused by the store, runs again, and finds the other's.
                payee = Payee.intend(
                    id=PayeeId(self.ids.new()),
                    organization_id=organization_id,
                    gateway=self.sharing.gateway,
                    now=self.clock.now(),
                )
                work.payees.add(payee)
            return work.answer(payee)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetPayee:
    """Let the gateway know a payee, under our own id, so that asking twice, today or after a crash, makes one account;
    and follow how it stands there."""

    begin: Begin
    payee_desk: PayeeDesk
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        Declined,
        GatewaySilent,
        GatewayUnavailable,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Payee:
        async with self.begin(actor) as work:
            payee = await _payee(work, actor, organization_id, self.payee_desk.name, Permission.MANAGE_BILLING)
            seen, ref = payee.version, payee.gateway_ref
            order = await _order(work, payee) if ref is None else None
        if order is not None:
            ref = await self.payee_desk.enrol(order)
        news = await self.payee_desk.find(ref or "")
        async with self.begin(actor) as work:
            payee = await work.payees.get(payee.id)
            if payee.version != seen:
                raise StaleVersion("the payee was followed meanwhile")
            payee.known_as(news.ref)
            payee.follow(news)
            return work.answer(payee)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPayee:
    """An address, good once and for a few minutes, where an owner tells the gateway who the organization is and which
    bank its money goes to."""

    begin: Begin
    payee_desk: PayeeDesk
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        PayeeRejected,
        Declined,
        GatewayUnavailable,
    )

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> str:
        async with self.begin(actor) as work:
            payee = await _payee(work, actor, organization_id, self.payee_desk.name, Permission.MANAGE_BILLING)
        if payee.gateway_ref is None:
            raise NotFound.of("payee", organization_id)
        payee.must_be_welcome()
        back = self.links.home
        return await self.payee_desk.link(payee.gateway_ref, return_url=back, refresh_url=back)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeView:
    """An organization's account at the gateway, as those who manage the organization see it."""

    source: ClassVar[str] = "payees"
    id: PayeeId
    version: int
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str | None
    state: PayeeState
    takes_charges: bool
    pays_out: bool
    wanted: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """A payout, as those who manage its organization see it."""

    source: ClassVar[str] = "payouts"
    id: PayoutId
    version: int
    organization_id: OrganizationId
    gateway_ref: str
    amount: Money
    state: PayoutState
    failure: str
    arrives_at: datetime | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPayee:
    """How an organization's account at the gateway stands, and what the gateway wants to know, for its owners and
    managers."""

    begin: Begin
    payee_desk: PayeeDesk
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Payee:
        async with self.begin(actor) as work:
            return await _payee(work, actor, organization_id, self.payee_desk.name, Permission.SEE_BOOKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPayees:
    """The organizations that have an account at the gateway, the newest first; admins only."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)

    async def __call__(
        self, actor: Actor, *, state: PayeeState | None = None, after: Position | None = None, limit: int
    ) -> Page[PayeeView]:
        actor.must_be_admin()
        return await self.readers.page(actor, PayeeView, given(state=state), order=_NEWEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPayouts:
    """What was paid out to an organization's bank, the latest first, for its owners and managers."""

    begin: Begin
    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, MayNotManage, NotFound)

    async def __call__(
        self, actor: Actor, organization_id: OrganizationId, *, after: Position | None = None, limit: int
    ) -> Page[PayoutView]:
        async with self.begin(actor) as work:
            _, standing = await theirs(work, actor, organization_id)
            standing.must(Permission.SEE_BOOKS)
        where = {"organization_id": organization_id}
        return await self.readers.page(actor, PayoutView, where, order=_NEWEST, after=after, limit=limit)


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
    for entry in payout_entries(payout, gone, new=ids.new, now=now):
        work.ledger.add(entry)
    return payout


async def _payee(
    work: Work, actor: Actor, organization_id: OrganizationId, gateway: str, permission: Permission
) -> Payee:
    _, standing = await theirs(work, actor, organization_id)
    standing.must(permission)
    payee = await work.payees.first(organization_id=organization_id, gateway=gateway)
    if payee is None:
        raise NotFound.of("payee", organization_id)
    return payee


async def _order(work: Work, payee: Payee) -> PayeeOrder:
    """What the gateway is told of an organization: its name, and where its first owner is reached."""
    organization = await work.organizations.get(payee.organization_id)
    owner = await work.memberships.first(organization_id=payee.organization_id, role=MemberRole.OWNER)
    user = await work.users.get(UserId(owner.user_id)) if owner else None
    return PayeeOrder(
        payee_id=PayeeId(payee.id),
        organization_id=payee.organization_id,
        name=organization.name,
        email=(user.email or "") if user else "",
        since=payee.created_at,
    )


def _nothing(outcome: Outcome, note: str) -> Effect:
    async def effect(_: Work) -> Verdict:
        return outcome, note

    return effect
