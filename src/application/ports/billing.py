"""Selling plans, in our own words: a catalog, customers, a till and subscriptions, each a small port of one gateway.

Refusals are those of `ports.payments`: `Declined`, `GatewayUnavailable`, `GatewaySilent`; `NotFound` for what the
gateway does not know. Every write carries a key made of our own ids: asking twice acts once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from domain.billing import GatewayCheckout, GatewayPrice, GatewayProduct, GatewaySubscription
from domain.shared.ids import CustomerId, PurchaseId, UserId


class Catalog(Protocol):
    """What the gateway sells in our name."""

    @property
    def name(self) -> str:
        """The word under which rows remember their gateway."""
        ...

    def products(self) -> AsyncIterator[GatewayProduct]:
        """All products, active or not."""
        ...

    def prices(self) -> AsyncIterator[GatewayPrice]:
        """All prices, active or not."""
        ...

    async def product(self, ref: str) -> GatewayProduct:
        """How a product is described now; `NotFound` also for one that was deleted."""
        ...

    async def price(self, ref: str) -> GatewayPrice:
        """How a price is described now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOrder:
    """Let this user be a customer. The same id is one order, however often it is given. Who has no address has none
    here."""

    customer_id: CustomerId
    user_id: UserId
    email: str
    name: str


class CustomerDesk(Protocol):
    """The gateway's customers, and the page where they look after what they subscribed to."""

    async def enrol(self, order: CustomerOrder) -> str:
        """The reference the gateway knows this customer by."""
        ...

    async def portal(self, ref: str, *, return_url: str) -> str:
        """An address, good for a short while, where this customer changes cards and plans; they come back to
        `return_url`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOrder:
    """Let somebody buy one of this price. The same purchase is one order, however often it is given."""

    purchase_id: PurchaseId
    price_ref: str
    email: str
    customer_ref: str | None
    success_url: str
    cancel_url: str


class Till(Protocol):
    """Where plans are paid for: the gateway's own page."""

    async def open(self, order: CheckoutOrder) -> GatewayCheckout:
        """A checkout that can be paid at its `url`."""
        ...

    async def find(self, ref: str) -> GatewayCheckout:
        """How it stands now."""
        ...


class Subscriptions(Protocol):
    """What customers subscribed to, as the gateway keeps it."""

    async def subscription(self, ref: str) -> GatewaySubscription:
        """How it stands now."""
        ...


class PlanDesk(Protocol):
    """The buyer's side of the simulated gateway's till, where a test card is shown."""

    async def find(self, ref: str) -> GatewayCheckout:
        """How the checkout stands."""
        ...

    async def show_card(self, ref: str, card: str) -> GatewayCheckout:
        """Pay with the test card of that name."""
        ...
