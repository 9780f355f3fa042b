"""Payees: organizations with accounts of their own at the gateway, got or made once, and followed by asking."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.parties import theirs
from application.payments.reading import given
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.payees import PayeeDesk, PayeeOrder
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from application.sharing import NOTHING_SHARED, Sharing
from domain.organizations import MayNotManage, MemberRole, Permission
from domain.payments import (
    NotSharedHere,
    Payee,
    PayeeRejected,
    PayeeState,
    PayoutState,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, NotFound, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import OrganizationId, PayeeId, PayoutId, UserId
from domain.shared.money import Money

_NEWEST = Order("created_at", descending=True)


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
