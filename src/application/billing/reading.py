"""Plans and prices to choose from, and what an organization has."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.parties import theirs
from application.ports.billing import Catalog
from application.ports.criteria import AnyOf, Order, Position
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin
from domain.billing import Entitlements, PriceType, SubscriptionState
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import OrganizationId, PriceId, ProductId, SubscriptionId

_OLDEST = Order("created_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product, as everybody may read it."""

    source: ClassVar[str] = "products"
    id: ProductId
    version: int
    gateway: str
    gateway_ref: str
    name: str
    description: str
    active: bool
    features: tuple[str, ...]
    limits: dict[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """A price, as everybody may read it."""

    source: ClassVar[str] = "prices"
    id: PriceId
    version: int
    gateway: str
    gateway_ref: str
    product_ref: str
    active: bool
    currency: str
    amount_minor: int | None
    type: PriceType
    interval: str
    interval_count: int
    nickname: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """A subscription, as those who manage its organization see it."""

    source: ClassVar[str] = "subscriptions"
    id: SubscriptionId
    version: int
    organization_id: OrganizationId
    gateway: str
    gateway_ref: str
    product_ref: str
    price_ref: str
    state: SubscriptionState
    quantity: int
    period_ends_at: datetime | None
    trial_ends_at: datetime | None
    ends_with_period: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """Which products."""

    active: bool | None = None
    """Only those that are sold now, or only those that are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFilter:
    """Which prices."""

    active: bool | None = None
    """Only those that can be bought at now, or only those that cannot."""
    product: str | None = None
    """Only those of the product with this reference of the gateway's."""
    type: PriceType | None = None
    """Only those paid once, or only recurring ones."""
    currency: str | None = None
    """Only those in this currency, such as "EUR"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """What an organization has of the house now: features by their words, limits by what is counted."""

    organization_id: OrganizationId
    features: tuple[str, ...]
    limits: dict[str, int]
    subscriptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProducts:
    """The products the gateway sells in our name, the oldest first, as they were when it was last asked."""

    readers: Readers
    catalog: Catalog
    refuses: ClassVar[tuple[type[Refusal], ...]] = ()

    async def __call__(
        self, actor: Actor, wanted: ProductFilter = ProductFilter(), *, after: Position | None = None, limit: int = 50
    ) -> Page[ProductView]:
        where: dict[str, object] = {"gateway": self.catalog.name}
        if wanted.active is not None:
            where["active"] = wanted.active
        return await self.readers.page(actor, ProductView, where, order=_OLDEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrices:
    """The prices of those products, the oldest first, as they were when the gateway was last asked."""

    readers: Readers
    catalog: Catalog
    refuses: ClassVar[tuple[type[Refusal], ...]] = ()

    async def __call__(
        self, actor: Actor, wanted: PriceFilter = PriceFilter(), *, after: Position | None = None, limit: int = 50
    ) -> Page[PriceView]:
        said: dict[str, object] = {
            "active": wanted.active,
            "product_ref": wanted.product,
            "type": wanted.type,
            "currency": wanted.currency.upper() if wanted.currency else None,
        }
        where = {"gateway": self.catalog.name, **{name: value for name, value in said.items() if value is not None}}
        return await self.readers.page(actor, PriceView, where, order=_OLDEST, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSubscriptions:
    """What an organization subscribed to, the newest first, for those who manage it."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, organization_id: OrganizationId, *, after: Position | None = None, limit: int = 50
    ) -> Page[SubscriptionView]:
        if not actor.is_admin:
            actor.signed_in()
        order = Order("created_at", descending=True)
        where = {"organization_id": organization_id}
        return await self.readers.page(actor, SubscriptionView, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetEntitlements:
    """What an organization may use now: all that its live subscriptions' products give, for its members to see."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, organization_id: OrganizationId) -> Entitled:
        async with self.begin(actor) as work:
            await theirs(work, actor, organization_id)
            subscriptions = await work.subscriptions.find(organization_id=organization_id)
            live = [subscription for subscription in subscriptions if subscription.entitles]
            refs = AnyOf(tuple({subscription.product_ref for subscription in live}))
            products = await work.products.find(gateway_ref=refs)
        total = Entitlements()
        for product in products:
            total |= product.entitlements
        return Entitled(
            organization_id=organization_id,
            features=total.features,
            limits=total.limits or {},
            subscriptions=len(live),
        )
