"""A saved way to pay: a card the gateway keeps for a user. We know what is printed on a receipt, and its reference."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import PaymentMethodId, UserId

_LAST4 = re.compile(r"[0-9]{4}")


class SetupState(StrEnum):
    """How the saving of a card stands: waiting for the customer, for their bank's question, done, or over."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodSaved(Event):
    """A user can pay with this card from now on without showing it."""

    name: ClassVar[str] = "payment_method.saved"
    method_id: PaymentMethodId
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodRemoved(Event):
    """A user wants a card forgotten; the gateway is to be told."""

    name: ClassVar[str] = "payment_method.removed"
    method_id: PaymentMethodId
    user_id: UserId
    gateway: str
    gateway_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCard:
    """A card as a gateway keeps it. `customer_ref` is empty once it keeps it for nobody."""

    gateway: str
    ref: str
    customer_ref: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySetup:
    """How a gateway says the saving of a card stands at the moment of asking; the card when it is done."""

    gateway: str
    ref: str
    customer_ref: str | None
    state: SetupState
    client_secret: str | None
    card: GatewayCard | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class PaymentMethod(Aggregate):
    """A card of a user that the gateway keeps. Of several, the one preferred last is paid with when nothing is said."""

    id: PaymentMethodId
    user_id: UserId
    gateway: str
    gateway_ref: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    preferred_at: datetime
    created_at: datetime

    def __post_init__(self) -> None:
        if not _LAST4.fullmatch(self.last4) or not 1 <= self.exp_month <= 12:
            raise Invalid("a card has four last digits and a month it ends in", field="card")

    @classmethod
    def save(cls, *, id: PaymentMethodId, user_id: UserId, card: GatewayCard, now: datetime) -> "PaymentMethod":
        """Remember a card that its owner let the gateway keep; it is the preferred one until they say otherwise."""
        method = cls(
            id=id,
            user_id=user_id,
            gateway=card.gateway,
            gateway_ref=card.ref,
            brand=card.brand,
            last4=card.last4,
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            preferred_at=now,
            created_at=now,
        )
        method._record(PaymentMethodSaved(method_id=id, user_id=user_id))
        return method

    def renew(self, card: GatewayCard) -> None:
        """The bank has sent a new card for it: other digits, a later end."""
        self.brand, self.last4 = card.brand, card.last4
        self.exp_month, self.exp_year = card.exp_month, card.exp_year

    def prefer(self, *, now: datetime) -> None:
        """Pay with this one from now on when nothing is said."""
        self.preferred_at = now

    def remove(self) -> None:
        """Forget it, here and at the gateway."""
        self._record(
            PaymentMethodRemoved(
                method_id=self.id, user_id=self.user_id, gateway=self.gateway, gateway_ref=self.gateway_ref
            )
        )
