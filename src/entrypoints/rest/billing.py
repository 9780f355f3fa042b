"""The plans of the house: what is sold, who one is to the gateway, buying, and what an organization has of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends

from application.billing import (
    BecomeCustomer,
    GetEntitlements,
    GetPurchase,
    ListPrices,
    ListProducts,
    ListSubscriptions,
    MeetCustomer,
    NewPurchase,
    OpenCheckout,
    OpenPortal,
    PriceFilter,
    ProductFilter,
    RefreshCatalog,
    RequestPurchase,
)
from domain.billing import PriceType, PurchaseState, SubscriptionState
from domain.shared.ids import CustomerId, OrganizationId, PriceId, ProductId, PurchaseId, SubscriptionId, UserId
from entrypoints.rest.asking import Anybody, Somebody
from entrypoints.rest.cursors import Asked, Paged
from entrypoints.rest.once import Commanded
from entrypoints.rest.out import Out
from entrypoints.rest.queries import asked
from entrypoints.rest.routing import api_router
from entrypoints.rest.speaks import speaks
from entrypoints.use_cases import UseCases


class ProductOut(Out):
    """Something that is sold, and what it entitles to."""

    id: ProductId
    gateway_ref: str
    name: str
    description: str
    active: bool
    features: tuple[str, ...]
    limits: dict[str, int]
    created_at: datetime


class PriceOut(Out):
    """What a product costs. `amount_minor` is empty where it depends on how much is bought; `interval` is empty where
    it is paid once."""

    id: PriceId
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


class CustomerOut(Out):
    """Who a user is to the gateway."""

    id: CustomerId
    version: int
    user_id: UserId
    gateway: str
    gateway_ref: str | None
    created_at: datetime


class PurchaseOut(Out):
    """A visit to the gateway's till: it is paid at `url`, and in the end there is an organization."""

    id: PurchaseId
    version: int
    state: PurchaseState
    price_ref: str
    url: str | None
    organization_id: OrganizationId | None
    created_at: datetime


class PortalOut(Out):
    """Where a customer changes cards and plans; good for a short while."""

    url: str


class MirroredOut(Out):
    """How many products and prices the gateway has now."""

    products: int
    prices: int


class SubscriptionOut(Out):
    """What an organization subscribed to, as the gateway last said."""

    id: SubscriptionId
    version: int
    organization_id: OrganizationId
    product_ref: str
    price_ref: str
    state: SubscriptionState
    quantity: int
    period_ends_at: datetime | None
    trial_ends_at: datetime | None
    ends_with_period: bool
    created_at: datetime


class EntitledOut(Out):
    """What an organization may use now."""

    organization_id: OrganizationId
    features: tuple[str, ...]
    limits: dict[str, int]
    subscriptions: int
    """How many live subscriptions that comes from."""


def billing(use: UseCases) -> APIRouter:
    """Routes under /v1/stripe, and an organization's subscriptions and entitlements. The word is Stripe's whichever
    gateway is in use, so that a front end is written once."""
    router = api_router(tag="billing")
    list_products, list_prices, refresh_catalog = use(ListProducts), use(ListPrices), use(RefreshCatalog)
    list_subscriptions, get_entitlements = use(ListSubscriptions), use(GetEntitlements)

    @router.get("/stripe/products", **speaks(ListProducts, signed_in=False))
    async def products(
        actor: Anybody, wanted: Annotated[ProductFilter, Depends(asked(ProductFilter))], page: Asked
    ) -> Paged[ProductOut]:
        return page.project(await list_products(actor, wanted, after=page.after, limit=page.limit), ProductOut)

    @router.get("/stripe/prices", **speaks(ListPrices, signed_in=False))
    async def prices(
        actor: Anybody, wanted: Annotated[PriceFilter, Depends(asked(PriceFilter))], page: Asked
    ) -> Paged[PriceOut]:
        return page.project(await list_prices(actor, wanted, after=page.after, limit=page.limit), PriceOut)

    @router.post("/stripe/refresh", **speaks(RefreshCatalog))
    async def refresh(actor: Somebody, once: Commanded) -> MirroredOut:
        return MirroredOut.of(await once.then(lambda: refresh_catalog(actor)))

    @router.get("/organizations/{organization_id}/subscriptions", **speaks(ListSubscriptions))
    async def subscriptions(actor: Somebody, organization_id: OrganizationId, page: Asked) -> Paged[SubscriptionOut]:
        found = await list_subscriptions(actor, organization_id, after=page.after, limit=page.limit)
        return page.project(found, SubscriptionOut)

    @router.get("/organizations/{organization_id}/entitlements", **speaks(GetEntitlements))
    async def entitlements(actor: Somebody, organization_id: OrganizationId) -> EntitledOut:
        return EntitledOut.of(await get_entitlements(actor, organization_id))

    _customers(router, use)
    _buying(router, use)
    return router


def _customers(router: APIRouter, use: UseCases) -> None:
    become, meet, open_portal = use(BecomeCustomer), use(MeetCustomer), use(OpenPortal)

    @router.post("/stripe/customer", **speaks(BecomeCustomer, *MeetCustomer.refuses))
    async def customer(actor: Somebody, once: Commanded) -> CustomerOut:
        mine = await once(lambda: become(actor))
        return CustomerOut.of(await once.then(lambda: meet(actor, mine.id)))

    @router.post("/stripe/portal", **speaks(OpenPortal))
    async def portal(actor: Somebody) -> PortalOut:
        return PortalOut(url=await open_portal(actor))


def _buying(router: APIRouter, use: UseCases) -> None:
    request_purchase, open_checkout, get_purchase = use(RequestPurchase), use(OpenCheckout), use(GetPurchase)

    @router.post("/stripe/checkout", status_code=201, **speaks(RequestPurchase, *OpenCheckout.refuses, signed_in=False))
    async def checkout(actor: Anybody, new: NewPurchase, once: Commanded) -> PurchaseOut:
        purchase = await once(lambda: request_purchase(actor, new))
        return PurchaseOut.of(await once.then(lambda: open_checkout(actor, purchase.id)))

    @router.get("/stripe/purchases/{purchase_id}", **speaks(GetPurchase, signed_in=False))
    async def purchase(actor: Anybody, purchase_id: PurchaseId) -> PurchaseOut:
        return PurchaseOut.of(await get_purchase(actor, purchase_id))
