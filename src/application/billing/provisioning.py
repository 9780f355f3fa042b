"""Provisioning: what was paid for comes into being in one commit, its mark included, so that nothing of it happens
twice and nothing is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from application.identity.enrolment import enrol
from application.ports.identity import OneTimeSecrets
from application.ports.ids import Ids
from application.ports.unit_of_work import Work
from domain.billing import Customer, GatewayCheckout, GatewaySubscription, Purchase, Subscription
from domain.identity import OneTimeToken, Purpose, User, email_address
from domain.organizations import (
    BusinessAnswer,
    MemberRole,
    Membership,
    Onboarding,
    Organization,
    PlaceAnswer,
    ProfessionAnswer,
)
from domain.profiles import Particulars
from domain.shared.errors import Invalid
from domain.shared.ids import CustomerId, MembershipId, OneTimeTokenId, OrganizationId, SubscriptionId, UserId

T = TypeVar("T")
WELCOME_LASTS = timedelta(days=1)
"""The link in the letter of welcome; after that one asks for another, as everybody does."""

LONGEST_NAME = 100
NAMELESS = "A new business"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioner:
    """Makes a business of a paid purchase, in the block of whoever follows it. `password_hash` is of a password nobody
    knows: who bought signs in by mail, and chooses one when they like."""

    work: Work
    ids: Ids
    one_time_secrets: OneTimeSecrets
    password_hash: str
    now: datetime

    async def provision(
        self, purchase: Purchase, paid: GatewayCheckout, subscribed: GatewaySubscription | None
    ) -> None:
        """Everything that was bought: organization, owner, membership, subscription, onboarding and a letter."""
        owner = await self._owner(purchase, paid)
        owner.must_be_welcome()
        token_id = None
        if purchase.organization_id is None:
            organization = self._found(purchase, paid, owner)
            token_id = self._welcome(owner)
        else:
            organization = await self.work.organizations.get(purchase.organization_id)
        if subscribed is not None:
            await self._subscribe(subscribed, organization)
        if paid.customer_ref is not None:
            await self._remember(owner, paid.gateway, paid.customer_ref)
        purchase.provision(organization_id=organization.id, user_id=owner.id, token_id=token_id, now=self.now)

    async def _owner(self, purchase: Purchase, paid: GatewayCheckout) -> User:
        """Who bought: the one who was signed in, else whoever has the address, else somebody new."""
        if purchase.user_id is not None:
            return await self.work.users.get(purchase.user_id)
        email = email_address(purchase.email or paid.buyer.email)
        if (known := await self.work.users.first(email=email)) is not None:
            known.take_up_work()
            return known
        user = User.admit_buyer(id=UserId(self.ids.new()), email=email, now=self.now)
        particulars = Particulars(name=said(paid.buyer.name) or email.partition("@")[0])
        enrol(
            self.work,
            user,
            password_hash=self.password_hash,
            particulars=particulars,
            ids=self.ids,
            now=self.now,
            alone=False,
        )
        return user

    def _found(self, purchase: Purchase, paid: GatewayCheckout, owner: User) -> Organization:
        told = purchase.metadata
        name = (
            said(purchase.organization_name)
            or said(told.get("organization", ""))
            or said(paid.buyer.name)
            or (owner.email or "").partition("@")[0]
            or NAMELESS
        )
        organization = Organization.found(id=OrganizationId(self.ids.new()), name=name, owner_id=owner.id, now=self.now)
        self.work.organizations.add(organization)
        self.work.memberships.add(
            Membership.join(
                id=MembershipId(self.ids.new()),
                organization_id=organization.id,
                user_id=owner.id,
                role=MemberRole.OWNER,
                now=self.now,
            )
        )
        profession = said(purchase.profession or told.get("profession", ""))
        currency, zone = told.get("currency", "EUR").upper(), told.get("zone", "")
        self.work.onboardings.add(
            Onboarding.begin(
                id=organization.id,
                business=_sound(lambda: BusinessAnswer(name=name, phone=said(paid.buyer.phone)[:40])),
                profession=_sound(lambda: ProfessionAnswer(profession=profession, currency=currency)),
                place=_sound(lambda: PlaceAnswer(zone=zone, place=said(told.get("place", "")))),
                now=self.now,
            )
        )
        return organization

    def _welcome(self, owner: User) -> OneTimeTokenId:
        token_id = OneTimeTokenId(self.ids.new())
        self.work.one_time_tokens.add(
            OneTimeToken.enclose(
                id=token_id,
                user_id=owner.id,
                epoch=owner.epoch,
                purpose=Purpose.MAGIC_LINK,
                token_hash=self.one_time_secrets.digest(self.one_time_secrets.secret(token_id)),
                lifetime=WELCOME_LASTS,
                now=self.now,
            )
        )
        return token_id

    async def _subscribe(self, news: GatewaySubscription, organization: Organization) -> None:
        known = await self.work.subscriptions.first(gateway=news.gateway, gateway_ref=news.ref)
        if known is not None:
            return  # what became of it since is its own messages' to tell
        subscription = Subscription.begin(
            news, id=SubscriptionId(self.ids.new()), organization_id=organization.id, now=self.now
        )
        self.work.subscriptions.add(subscription)

    async def _remember(self, owner: User, gateway: str, ref: str) -> None:
        """Who the owner is to the gateway; the first one stays, and nobody is somebody else."""
        mine = await self.work.customers.first(user_id=owner.id, gateway=gateway)
        if await self.work.customers.first(gateway=gateway, gateway_ref=ref):
            return
        if mine is None:
            mine = Customer.intend(id=CustomerId(self.ids.new()), user_id=owner.id, gateway=gateway, now=self.now)
            self.work.customers.add(mine)
        mine.known_as(ref)


def said(value: str) -> str:
    """What somebody typed at the gateway, on one line and not too long; nothing of it is a reason to fail."""
    shown = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(shown.split())[:LONGEST_NAME].strip()


def _sound(suggest: Callable[[], T]) -> T | None:
    """A suggestion, if it makes sense."""
    try:
        return suggest()
    except Invalid:
        return None
