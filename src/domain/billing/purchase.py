"""Purchases: somebody buys a plan at the gateway's till, and a business comes of it, once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict
from domain.shared.ids import OneTimeTokenId, OrganizationId, PurchaseId, UserId
from domain.shared.text import text


class PurchaseState(StrEnum):
    """How a purchase stands. `requested`: stored by us, not yet open at the till; `paying`: completed there, the money
    still on its way; `provisioned`: the business it was for is there."""

    REQUESTED = "requested"
    OPEN = "open"
    PAYING = "paying"
    FAILED = "failed"
    EXPIRED = "expired"
    PROVISIONED = "provisioned"


class TillState(StrEnum):
    """How a checkout stands at the gateway."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PurchaseOver(Conflict):
    """This purchase has come to its end; begin another."""

    code = "billing.purchase_over"

    def __init__(self, state: PurchaseState) -> None:
        super().__init__(f"this purchase is {state.value}; begin another", state=state.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """What the gateway was told by whoever paid. None of it is proven, the address least of all."""

    email: str = ""
    name: str = ""
    phone: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCheckout:
    """How the gateway says a checkout stands at the moment of asking; `paid` also when there was nothing to pay."""

    gateway: str
    ref: str
    purchase_id: PurchaseId | None
    state: TillState
    paid: bool
    url: str | None
    customer_ref: str | None
    subscription_ref: str | None
    buyer: Buyer
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseProvisioned(Event):
    """The business that was bought is there; its owner is to be welcomed, with a link that signs them in (where the
    purchase was for an organization that was there before, nobody is)."""

    name: ClassVar[str] = "purchase.provisioned"
    purchase_id: PurchaseId
    organization_id: OrganizationId
    user_id: UserId
    token_id: OneTimeTokenId | None


@dataclass(eq=False, slots=True, kw_only=True)
class Purchase(Aggregate):
    """One visit to the gateway's till. `price_ref` is what is bought; `organization_id` is who it is for, from the
    start or once it is provisioned; `user_id` is who buys, if they were signed in, and then the owner."""

    id: PurchaseId
    gateway: str
    gateway_ref: str | None = None
    price_ref: str = ""
    email: str = ""
    organization_name: str = ""
    profession: str = ""
    user_id: UserId | None = None
    organization_id: OrganizationId | None = None
    subscription_ref: str | None = None
    url: str | None = None
    state: PurchaseState = PurchaseState.REQUESTED
    metadata: dict[str, str] = field(default_factory=dict)
    created_at: datetime
    provisioned_at: datetime | None = None

    @classmethod
    def request(
        cls,
        *,
        id: PurchaseId,
        gateway: str,
        price_ref: str,
        email: str,
        organization_name: str,
        profession: str,
        user_id: UserId | None,
        organization_id: OrganizationId | None,
        now: datetime,
    ) -> "Purchase":
        """Somebody wants to buy; the till hears of it once this is stored."""
        return cls(
            id=id,
            gateway=gateway,
            price_ref=price_ref,
            email=email,
            organization_name=text(organization_name, field="organization_name", shortest=0, longest=120),
            profession=profession,
            user_id=user_id,
            organization_id=organization_id,
            created_at=now,
        )

    @classmethod
    def adopt(cls, news: GatewayCheckout, *, id: PurchaseId, now: datetime) -> "Purchase":
        """A checkout that was begun elsewhere, by a link on somebody's page."""
        return cls(id=id, gateway=news.gateway, gateway_ref=news.ref, state=PurchaseState.OPEN, created_at=now)

    @property
    def is_over(self) -> bool:
        """Whether it can no longer be paid."""
        return self.state in (PurchaseState.PROVISIONED, PurchaseState.EXPIRED)

    def must_be_payable(self) -> None:
        """Refuse one that nobody can pay any more."""
        if self.is_over or self.state is PurchaseState.PAYING:
            raise PurchaseOver(self.state)

    def opened(self, news: GatewayCheckout) -> None:
        """The till is open, at that address."""
        self.gateway_ref, self.url = news.ref, news.url
        if self.state is PurchaseState.REQUESTED:
            self.state = PurchaseState.OPEN

    def settle(self, news: GatewayCheckout, *, failed: bool = False) -> bool:
        """Follow what the gateway says; whether it is paid now and its business still has to be made. `failed` says
        that the news came because a payment under way was turned down: the till itself does not tell waiting money from
        refused money."""
        if self.state is PurchaseState.PROVISIONED:
            return False
        self.gateway_ref = news.ref
        self.subscription_ref = news.subscription_ref or self.subscription_ref
        self.metadata = {**self.metadata, **news.metadata}
        if news.state is TillState.COMPLETE and news.paid:
            return True
        if news.state is TillState.EXPIRED:
            self.state = PurchaseState.EXPIRED
        elif news.state is TillState.COMPLETE and self.state is not PurchaseState.FAILED:
            self.state = PurchaseState.FAILED if failed else PurchaseState.PAYING
        elif news.state is TillState.OPEN:
            self.opened(news)
        return False

    def provision(
        self,
        *,
        organization_id: OrganizationId,
        user_id: UserId,
        token_id: OneTimeTokenId | None,
        now: datetime,
    ) -> None:
        """What was bought is there, in the very commit that makes it."""
        self.state, self.provisioned_at, self.url = PurchaseState.PROVISIONED, now, None
        self.organization_id, self.user_id = organization_id, user_id
        self._record(
            PurchaseProvisioned(
                purchase_id=self.id, organization_id=organization_id, user_id=user_id, token_id=token_id
            )
        )
