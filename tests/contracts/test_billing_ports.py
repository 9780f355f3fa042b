"""What every seller of plans promises: the simulated gateway, and Stripe's adapter against Stripe's counterpart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import pytest

from adapters.simulated_gateway import Books, SimulatedBilling
from adapters.stripe import StripeBilling, StripeGateway
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.billing import Catalog, CheckoutOrder, CustomerDesk, CustomerOrder, Subscriptions, Till
from application.ports.payments import Declined
from domain.billing import PriceType, SubscriptionState, TillState
from domain.shared.errors import NotFound
from domain.shared.ids import CustomerId, PurchaseId, UserId
from tests.application.till import Quiet
from tests.support.emulate_server import API_KEY, emulate, emulated
from tests.support.house import MONDAY

__all__ = ["emulate"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

PURCHASE, CUSTOMER = PurchaseId(UUID(int=7)), CustomerId(UUID(int=8))


class Sells(Catalog, CustomerDesk, Till, Subscriptions, Protocol):
    """All four ports."""


@dataclass(slots=True, kw_only=True)
class Seller:
    """A gateway under test with one plan on sale, and the buyer's hands."""

    gateway: Any
    product: str
    price: str
    complete: Callable[[str], Awaitable[object]]

    def sells(self) -> Sells:
        """The gateway by its ports."""
        gateway: Sells = self.gateway
        return gateway


@pytest.fixture(params=["simulated", "stripe"])
async def seller(request: pytest.FixtureRequest) -> AsyncIterator[Seller]:
    if request.param == "simulated":
        clock, books = StandingClock(MONDAY), Books(":memory:")
        ids = SeededIds(clock, seed="billing")
        gateway = SimulatedBilling(books, Quiet(), clock=clock, ids=ids, url="http://here")
        yield Seller(
            gateway=gateway,
            product="team",
            price="team_month_eur",
            complete=lambda ref: gateway.complete(ref, paid=True),
        )
        books.close()
        return
    async with emulated(request.getfixturevalue("emulate")) as stripe:
        product, price = await stripe.sell("Team", amount=4900, interval="month", entitlements="bookings")
        connected = StripeGateway(api_key=API_KEY, api_base=stripe.api_base)
        yield Seller(gateway=StripeBilling(connected), product=product, price=price, complete=stripe.complete)
        await connected.aclose()


def order(seller: Seller, purchase_id: PurchaseId = PURCHASE, **told: Any) -> CheckoutOrder:
    facts: dict[str, Any] = {
        "price_ref": seller.price,
        "email": "zoe@example.org",
        "customer_ref": None,
        "success_url": "http://here/bought",
        "cancel_url": "http://here/",
    }
    return CheckoutOrder(purchase_id=purchase_id, **(facts | told))


async def test_the_catalog_lists_what_it_finds(seller: Seller) -> None:
    gateway = seller.sells()
    products = {product.ref: product async for product in gateway.products()}
    prices = {price.ref: price async for price in gateway.prices()}
    assert products[seller.product] == await gateway.product(seller.product)
    assert prices[seller.price] == await gateway.price(seller.price)
    assert products[seller.product].name == "Team"
    assert products[seller.product].metadata["entitlements"].startswith("bookings")
    price = prices[seller.price]
    assert (price.product_ref, price.currency, price.amount_minor) == (seller.product, "EUR", 4900)
    assert (price.type, price.interval, price.interval_count, price.active) == (PriceType.RECURRING, "month", 1, True)


async def test_a_customer_asked_for_twice_is_one(seller: Seller) -> None:
    gateway = seller.sells()
    wanted = CustomerOrder(customer_id=CUSTOMER, user_id=UserId(UUID(int=1)), email="zoe@example.org", name="Zoe")
    refs = {await gateway.enrol(wanted) for _ in range(3)}
    assert len(refs) == 1
    other = CustomerOrder(
        customer_id=CustomerId(UUID(int=9)), user_id=UserId(UUID(int=1)), email="zoe@example.org", name="Zoe"
    )
    assert await gateway.enrol(other) not in refs
    assert (await gateway.portal(refs.pop(), return_url="http://here/")).startswith("http")
    with pytest.raises(NotFound):
        await gateway.portal("cus_nobody", return_url="http://here/")


async def test_a_till_opened_twice_is_one_and_waits_for_the_buyer(seller: Seller) -> None:
    gateway = seller.sells()
    opened, again = await gateway.open(order(seller)), await gateway.open(order(seller))
    assert opened.ref == again.ref
    assert opened.url
    assert (opened.purchase_id, opened.state, opened.paid) == (PURCHASE, TillState.OPEN, False)
    assert (await gateway.find(opened.ref)).state is TillState.OPEN
    another = await gateway.open(order(seller, PurchaseId(UUID(int=70))))
    assert another.ref != opened.ref


async def test_a_completed_checkout_says_who_bought_what(seller: Seller) -> None:
    gateway = seller.sells()
    opened = await gateway.open(order(seller, PurchaseId(UUID(int=71))))
    await seller.complete(opened.ref)
    done = await gateway.find(opened.ref)
    assert (done.state, done.paid, done.url) == (TillState.COMPLETE, True, None)
    assert (done.purchase_id, done.buyer.email) == (PurchaseId(UUID(int=71)), "zoe@example.org")
    assert done.customer_ref
    assert done.subscription_ref
    subscription = await gateway.subscription(done.subscription_ref)
    assert (subscription.state, subscription.purchase_id) == (SubscriptionState.ACTIVE, done.purchase_id)
    assert (subscription.customer_ref, subscription.price_ref) == (done.customer_ref, seller.price)
    assert subscription.period_ends_at is not None
    assert (subscription.quantity, subscription.trial_ends_at, subscription.ends_with_period) == (1, None, False)


async def test_what_nobody_sells_is_refused_for_good(seller: Seller) -> None:
    with pytest.raises(Declined):
        await seller.sells().open(order(seller, PurchaseId(UUID(int=72)), price_ref="price_of_nothing"))


async def test_what_the_gateway_does_not_know_is_not_found(seller: Seller) -> None:
    gateway = seller.sells()
    for asking in (
        gateway.product("prod_none"),
        gateway.price("price_none"),
        gateway.find("cs_none"),
        gateway.subscription("sub_none"),
    ):
        with pytest.raises(NotFound):
            await asking
