"""The billing ports on Stripe: products and prices, customers and their portal, Checkout in subscription mode, and
subscriptions. Every write carries a key made of our own ids."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from adapters.stripe.amounts import AmountNotTaken, from_stripe
from adapters.stripe.gateway import NAME, StripeGateway, after_reading, after_writing, text_in
from application.ports.billing import Catalog, CheckoutOrder, CustomerDesk, CustomerOrder, Subscriptions, Till
from application.ports.payments import GatewayUnavailable
from domain.billing import (
    Buyer,
    GatewayCheckout,
    GatewayPrice,
    GatewayProduct,
    GatewaySubscription,
    PriceType,
    SubscriptionState,
    TillState,
)
from domain.shared.errors import NotFound
from domain.shared.ids import PurchaseId

_PAGE = 100
_PAID = frozenset({"paid", "no_payment_required"})
_STATES = {state.value: state for state in SubscriptionState}


class StripeBilling(Catalog, CustomerDesk, Till, Subscriptions):
    """Asks the Stripe that the gateway talks to, over its connections."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._stripe = gateway.client

    @property
    def name(self) -> str:
        return NAME

    async def products(self) -> AsyncIterator[GatewayProduct]:
        try:
            listed = await self._stripe.v1.products.list_async(params={"limit": _PAGE})
            async for product in listed.auto_paging_iter():
                yield _product(product)
        except stripe.StripeError as error:
            raise after_reading(error, "products", "all") from error

    async def prices(self) -> AsyncIterator[GatewayPrice]:
        try:
            listed = await self._stripe.v1.prices.list_async(params={"limit": _PAGE})
            async for price in listed.auto_paging_iter():
                yield _price(price)
        except stripe.StripeError as error:
            raise after_reading(error, "prices", "all") from error

    async def product(self, ref: str) -> GatewayProduct:
        try:
            found = await self._stripe.v1.products.retrieve_async(ref)
        except stripe.StripeError as error:
            raise after_reading(error, "product", ref) from error
        if getattr(found, "deleted", False):
            raise NotFound.of("product", ref)
        return _product(found)

    async def price(self, ref: str) -> GatewayPrice:
        try:
            return _price(await self._stripe.v1.prices.retrieve_async(ref))
        except stripe.StripeError as error:
            raise after_reading(error, "price", ref) from error

    async def enrol(self, order: CustomerOrder) -> str:
        if made := await self._made_before(order):
            return made
        try:
            customer = await self._stripe.v1.customers.create_async(
                params={
                    **({"email": order.email} if order.email else {}),
                    "name": order.name,
                    "metadata": {"customer_id": str(order.customer_id), "user_id": str(order.user_id)},
                },
                options={"idempotency_key": f"customer:{order.customer_id}"},
            )
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return customer.id

    async def portal(self, ref: str, *, return_url: str) -> str:
        try:
            session = await self._stripe.v1.billing_portal.sessions.create_async(
                params={"customer": ref, "return_url": return_url}
            )
        except stripe.StripeError as error:
            raise after_reading(error, "customer", ref) from error
        return session.url

    async def open(self, order: CheckoutOrder) -> GatewayCheckout:
        ours = {"purchase_id": str(order.purchase_id)}
        params: Any = {
            "mode": "subscription",
            "line_items": [{"price": order.price_ref, "quantity": 1}],
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
            "client_reference_id": str(order.purchase_id),
            "metadata": ours,
            "subscription_data": {"metadata": ours},
        }
        # Stripe takes a customer or an address, never both.
        params |= {"customer": order.customer_ref} if order.customer_ref else {"customer_email": order.email}
        try:
            session = await self._stripe.v1.checkout.sessions.create_async(
                params=params, options={"idempotency_key": f"purchase:{order.purchase_id}"}
            )
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return _checkout(session)

    async def find(self, ref: str) -> GatewayCheckout:
        try:
            return _checkout(await self._stripe.v1.checkout.sessions.retrieve_async(ref))
        except stripe.StripeError as error:
            raise after_reading(error, "checkout", ref) from error

    async def subscription(self, ref: str) -> GatewaySubscription:
        try:
            return _subscription(await self._stripe.v1.subscriptions.retrieve_async(ref))
        except stripe.StripeError as error:
            raise after_reading(error, "subscription", ref) from error

    async def _made_before(self, order: CustomerOrder) -> str | None:
        """The customer of that order, if Stripe made it and we were not told, or its key has been forgotten since."""
        if not order.email:
            return None  # nothing to look by; the key alone keeps it one
        try:
            same = await self._stripe.v1.customers.list_async(params={"email": order.email, "limit": _PAGE})
            async for customer in same.auto_paging_iter():
                if text_in(customer.metadata, "customer_id") == str(order.customer_id):
                    return customer.id
        except stripe.StripeError as error:
            raise GatewayUnavailable("Stripe does not answer", status=error.http_status) from error
        return None


def _product(product: stripe.Product) -> GatewayProduct:
    return GatewayProduct(
        gateway=NAME,
        ref=product.id,
        name=product.name,
        description=product.description or "",
        active=product.active,
        metadata=_metadata(product),
        created_at=_moment(product.created),
    )


def _price(price: stripe.Price) -> GatewayPrice:
    recurring = getattr(price, "recurring", None)
    return GatewayPrice(
        gateway=NAME,
        ref=price.id,
        product_ref=_ref(price.product) or "",
        active=price.active,
        currency=price.currency.upper(),
        amount_minor=_amount(price),
        type=PriceType.RECURRING if recurring else PriceType.ONE_TIME,
        interval=recurring.interval if recurring else "",
        interval_count=recurring.interval_count if recurring else 0,
        nickname=getattr(price, "nickname", None) or "",
        created_at=_moment(price.created),
    )


def _amount(price: stripe.Price) -> int | None:
    """In our minor units; none where it depends on how much is bought, or is in a currency we do not take."""
    amount = getattr(price, "unit_amount", None)
    try:
        return None if amount is None else from_stripe(amount, price.currency).amount_minor
    except AmountNotTaken:
        return None


def _checkout(session: Any) -> GatewayCheckout:
    told = getattr(session, "customer_details", None)
    address = getattr(told, "address", None)
    return GatewayCheckout(
        gateway=NAME,
        ref=session.id,
        purchase_id=_purchase(getattr(session, "metadata", None)),
        state=TillState(session.status or "open"),
        paid=session.payment_status in _PAID,
        url=getattr(session, "url", None),
        customer_ref=_ref(getattr(session, "customer", None)),
        subscription_ref=_ref(getattr(session, "subscription", None)),
        buyer=Buyer(
            email=text_in(told, "email") or getattr(session, "customer_email", None) or "",
            name=text_in(told, "name"),
            phone=text_in(told, "phone"),
            country=text_in(address, "country"),
        ),
        metadata=_metadata(session),
    )


def _subscription(subscription: Any) -> GatewaySubscription:
    item = subscription["items"].data[0]
    # Where a period ends moved from the subscription to its items; older accounts still say it there.
    ends = getattr(item, "current_period_end", None) or getattr(subscription, "current_period_end", None)
    trial = getattr(subscription, "trial_end", None)
    paused = getattr(subscription, "pause_collection", None) is not None
    state = _STATES.get(subscription.status, SubscriptionState.UNKNOWN)
    if paused and state is SubscriptionState.ACTIVE:
        state = SubscriptionState.PAUSED
    return GatewaySubscription(
        gateway=NAME,
        ref=subscription.id,
        purchase_id=_purchase(getattr(subscription, "metadata", None)),
        customer_ref=_ref(subscription.customer) or "",
        product_ref=_ref(item.price.product) or "",
        price_ref=item.price.id,
        state=state,
        quantity=getattr(item, "quantity", None) or 1,
        period_ends_at=None if ends is None else _moment(ends),
        trial_ends_at=None if trial is None else _moment(trial),
        ends_with_period=bool(getattr(subscription, "cancel_at_period_end", False)),
    )


def _purchase(metadata: Any) -> PurchaseId | None:
    try:
        return PurchaseId(UUID(text_in(metadata, "purchase_id")))
    except ValueError:
        return None


def _metadata(thing: Any) -> dict[str, str]:
    metadata = getattr(thing, "metadata", None)
    return {} if metadata is None else {str(key): str(value) for key, value in metadata.to_dict().items()}


def _ref(thing: Any) -> str | None:
    """A reference, whether it came alone or with what it refers to."""
    return thing if thing is None or isinstance(thing, str) else str(thing.id)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
