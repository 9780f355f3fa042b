"""Saved cards, in our own words: a gateway keeps them for its customers, and charges them when we ask."""

from dataclasses import dataclass
from typing import Protocol

from domain.payments import GatewayCard, GatewayPayment, GatewaySetup
from domain.shared.ids import PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOrder:
    """Pay an open payment with a card the gateway keeps, without its owner at hand. The same payment, attempt and card
    are one order, however often it is given."""

    payment_id: PaymentId
    payment_ref: str
    attempt: int
    customer_ref: str
    card_ref: str


class Wallet(Protocol):
    """Keeps cards for customers of a gateway. What is printed on them is all we are told."""

    async def begin(self, customer_ref: str, *, key: str) -> GatewaySetup:
        """Let a customer give a card to be kept; asked under the same key it is one setup. `Declined`,
        `GatewayUnavailable` or `GatewaySilent`."""
        ...

    async def find_setup(self, ref: str) -> GatewaySetup:
        """How the saving stands now, and the card when it is done; `NotFound` or `GatewayUnavailable`."""
        ...

    async def find_card(self, ref: str) -> GatewayCard:
        """A card as it is kept now, and for whom; `NotFound` or `GatewayUnavailable`."""
        ...

    async def forget(self, card_ref: str) -> None:
        """Keep it no longer. Forgetting twice is fine; `GatewayUnavailable`."""
        ...

    async def charge(self, order: ChargeOrder) -> GatewayPayment:
        """Pay with a kept card. Answers how the payment stands: `captured` or `authorised`, `failed`, or
        `requires_action` when the bank wants to hear from the card's owner, who goes on by the payment's secret.
        `Declined` when it cannot be paid so, `GatewayUnavailable` or `GatewaySilent`."""
        ...


class SetupDesk(Protocol):
    """The customer's side of the simulated gateway, where a test card is given to be kept. Whoever holds a setup's
    secret may give one; a wrong one finds nothing."""

    async def give(self, ref: str, client_secret: str, card: str) -> GatewaySetup:
        """Let the gateway keep the test card of that name; `Declined` when its bank will not have it."""
        ...
