"""Buying a plan: the intent is stored, then the gateway's till is opened for it."""

from dataclasses import dataclass
from typing import ClassVar

from application.inputs import submitted
from application.parties import theirs
from application.ports.billing import Catalog, CheckoutOrder, Till
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable
from application.ports.unit_of_work import Begin
from domain.billing import PriceType, Purchase, PurchaseOver
from domain.identity import BadEmail, email_address
from domain.organizations import MayNotManage, Permission
from domain.shared.actors import Actor
from domain.shared.errors import Conflict, Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import OrganizationId, PurchaseId


class PlanNotSold(Conflict):
    """Nobody can subscribe at that price now."""

    code = "billing.plan_not_sold"


@submitted
class NewPurchase:
    """What is bought, and for whom."""

    price: str
    """The gateway's reference of a recurring price."""
    email: str | None = None
    """Where the owner is reached; yours when you are signed in and leave it out."""
    organization_name: str = ""
    """What the business goes by; may be left for later."""
    profession: str = ""
    """The word of its profession; may be left for later."""
    organization_id: OrganizationId | None = None
    """An organization of yours that the plan is for, instead of a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPurchase:
    """Want to buy a plan: for a business that comes into being once it is paid, or for one you own."""

    begin: Begin
    clock: Clock
    ids: Ids
    catalog: Catalog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        MayNotManage,
        NotFound,
        PlanNotSold,
        BadEmail,
        Invalid,
    )

    async def __call__(self, actor: Actor, new: NewPurchase) -> Purchase:
        async with self.begin(actor) as work:
            price = await work.prices.first(gateway=self.catalog.name, gateway_ref=new.price)
            if price is None:
                raise NotFound.of("price", new.price)
            if not price.active or price.type is not PriceType.RECURRING:
                raise PlanNotSold("nobody can subscribe at this price now", price=new.price)
            if new.organization_id is not None:
                _, standing = await theirs(work, actor, new.organization_id)
                standing.must(Permission.MANAGE_BILLING)
            email = new.email
            if email is None and actor.user_id is not None:
                email = (await work.users.get(actor.user_id)).email
            if email is None:
                raise Invalid("say where the owner is reached, or sign in", field="email")
            purchase = Purchase.request(
                id=PurchaseId(self.ids.new()),
                gateway=self.catalog.name,
                price_ref=new.price,
                email=email_address(email),
                organization_name=new.organization_name,
                profession=new.profession,
                user_id=actor.user_id,
                organization_id=new.organization_id,
                now=self.clock.now(),
            )
            work.purchases.add(purchase)
            return work.answer(purchase)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCheckout:
    """Open the gateway's till for a purchase, under our own id, so that asking twice opens one."""

    begin: Begin
    catalog: Catalog
    till: Till
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        NotFound,
        PurchaseOver,
        Declined,
        GatewaySilent,
        GatewayUnavailable,
    )

    async def __call__(self, actor: Actor, purchase_id: PurchaseId) -> Purchase:
        async with self.begin(actor) as work:
            purchase = await work.purchases.get(purchase_id)
            if purchase.gateway_ref is not None:
                return purchase
            purchase.must_be_payable()
            customer = purchase.user_id and await work.customers.first(
                user_id=purchase.user_id, gateway=purchase.gateway
            )
        news = await self.till.open(
            CheckoutOrder(
                purchase_id=purchase.id,
                price_ref=purchase.price_ref,
                email=purchase.email,
                customer_ref=customer.gateway_ref if customer else None,
                success_url=self.links.bought(purchase.id),
                cancel_url=self.links.home,
            )
        )
        async with self.begin(actor) as work:
            purchase = await work.purchases.get(purchase_id)
            purchase.opened(news)
            return work.answer(purchase)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPurchase:
    """How a purchase stands, for whoever has its id."""

    begin: Begin
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, purchase_id: PurchaseId) -> Purchase:
        async with self.begin(actor) as work:
            return await work.purchases.get(purchase_id)
