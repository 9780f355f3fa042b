"""Gateways, in our own words: they hold money for us, give it back, and tell us when something happened.

The refusals of a gateway:

Declined            it refused; nothing moved and the same request will be refused again
GatewayUnavailable  it does not answer or will not now; nothing was done, ask again later
GatewaySilent       it was asked to do something and may have done it: ask how it stands
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.payments import GatewayPayment, GatewayRefund, Share, Topic
from domain.shared.errors import Conflict, Invalid, Unauthenticated, Unavailable
from domain.shared.ids import BookingId, InvoiceId, PaymentId, RefundId
from domain.shared.money import Money


class Declined(Conflict):
    """The gateway refuses, and would again. `reason` is a stable word such as "card_declined"."""

    code = "payment.declined"

    def __init__(self, reason: str, message: str = "the payment gateway refused") -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


class GatewayUnavailable(Unavailable):
    """The gateway does not answer, or not us, or not now. Nothing was done."""

    code = "payment.gateway_unavailable"


class GatewaySilent(Conflict):
    """The gateway was asked to act and gave no usable answer: it may have acted. Only asking can tell."""

    code = "payment.outcome_unknown"


class BadSignature(Unauthenticated):
    """The message does not come from whom it says."""

    code = "webhook.bad_signature"


class StaleSignature(Unauthenticated):
    """The message was signed too long ago, or in the future: it may be a replayed one."""

    code = "webhook.stale_signature"


class MalformedWebhook(Invalid):
    """Properly signed, and still nothing we can read."""

    code = "webhook.malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """Let a customer pay this amount, or have it set aside to be taken later. The same payment and attempt are one
    order, however often it is given."""

    payment_id: PaymentId
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    attempt: int
    amount: Money
    share: Share | None = None
    """To whose account it goes, less what fee; without one it is the platform's."""
    capture_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOrder:
    """Take this much of what is set aside, and let go of the rest. A payment is taken once, however often this is
    ordered."""

    payment_id: PaymentId
    payment_ref: str
    attempt: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Send part of a captured payment back. The same refund id is one order, however often it is given."""

    refund_id: RefundId
    payment_ref: str
    amount: Money
    reason: str = ""
    shared: bool = False
    """The payment went to the account of an organization: what goes back is taken from there again."""
    fee_back: bool = False
    """And that organization gets the platform's fee back in proportion."""


class PaymentGateway(Protocol):
    """Holds money in our name. Asking twice with the same id moves money once."""

    @property
    def name(self) -> str:
        """The word under which payments remember their gateway."""
        ...

    async def open(self, order: OpenOrder) -> GatewayPayment:
        """Open a payment that the customer can then pay; `Declined`, `GatewayUnavailable` or `GatewaySilent`."""
        ...

    async def find(self, ref: str) -> GatewayPayment:
        """How it stands now; `NotFound` or `GatewayUnavailable`."""
        ...

    async def capture(self, order: CaptureOrder) -> GatewayPayment:
        """Take what is set aside; `Declined` where nothing is, or too little; `GatewayUnavailable` or
        `GatewaySilent`."""
        ...

    async def cancel(self, ref: str) -> GatewayPayment:
        """Close it so that nobody can pay it, and let go of what is set aside. Answers how it stands afterwards: one
        whose money already moves is not closed but `processing` or `captured`. Cancelling twice is fine; `NotFound` or
        `GatewayUnavailable`."""
        ...

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        """Send money back, never more than was captured; `Declined`, `GatewayUnavailable` or `GatewaySilent`."""
        ...

    async def find_refund(self, ref: str) -> GatewayRefund:
        """How a refund stands now; `NotFound` or `GatewayUnavailable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a verified message says happened, and to what. Of money it is a hint: how things stand is asked of the
    gateway."""

    external_id: str
    kind: str
    occurred_at: datetime
    payment_ref: str | None = None
    refund_ref: str | None = None
    topic: Topic = Topic.MONEY
    thing: str | None = None
    """What else it is about, under `thing_ref`: of plans a "checkout", "subscription", "product" or "price"; of payees
    a "payee", "payout", "transfer" or "fee"; of money a "dispute", "warning", "setup" or "card"."""
    thing_ref: str | None = None
    payee_ref: str | None = None
    """The account it happened at, where that is not the platform's own."""


class WebhookVerifier(Protocol):
    """Tells a sender's own messages from everybody else's."""

    def verify(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        """What the message says, when its signature over the raw bytes is good and fresh; else `BadSignature`,
        `StaleSignature` or `MalformedWebhook`."""
        ...


class CardDesk(Protocol):
    """The customer's side of the simulated gateway, where a test card is shown. Whoever holds a payment's secret may
    pay it; a wrong one finds nothing."""

    async def look(self, ref: str, client_secret: str) -> GatewayPayment:
        """How the payment stands."""
        ...

    async def confirm(self, ref: str, client_secret: str, card: str) -> GatewayPayment:
        """Pay with the test card of that name."""
        ...

    async def authenticate_3ds(self, ref: str, client_secret: str, approved: bool) -> GatewayPayment:
        """Finish the second step that a card asked for."""
        ...
