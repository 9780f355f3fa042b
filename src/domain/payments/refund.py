"""A refund: part or all of a captured payment on its way back. It moves together with its payment's figures."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from domain.payments.payment import Payment
from domain.payments.refusals import GatewayDisagrees, RefundTooLarge
from domain.shared.aggregate import Aggregate, Event
from domain.shared.ids import BookingId, InvoiceId, OrganizationId, PaymentId, RefundId, UserId
from domain.shared.money import Money
from domain.shared.text import text


class RefundState(StrEnum):
    """How a refund stands. A bank can still return one that had succeeded; a failed one stays failed."""

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_RANK = {
    RefundState.REQUESTED: 0,
    RefundState.UNKNOWN: 0,
    RefundState.PENDING: 1,
    RefundState.SUCCEEDED: 2,
    RefundState.FAILED: 3,
}
_UNASKED = (RefundState.REQUESTED, RefundState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(Event):
    """The gateway is to be asked to send this money back."""

    name: ClassVar[str] = "refund.requested"
    refund_id: RefundId
    payment_id: PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSucceeded(Event):
    """The money is on its way to the customer."""

    name: ClassVar[str] = "refund.succeeded"
    refund_id: RefundId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(Event):
    """The money did not reach the customer: a person must look."""

    name: ClassVar[str] = "refund.failed"
    refund_id: RefundId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDoubted(Event):
    """Scheduled: ask the gateway again about a refund whose outcome is unknown. `tries` were made before."""

    name: ClassVar[str] = "refund.doubted"
    refund_id: RefundId
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRefund:
    """How a gateway says a refund stands at the moment of asking. `refund_id` is empty for one that somebody made at
    the gateway by hand."""

    gateway: str
    ref: str
    refund_id: RefundId | None
    payment_ref: str | None
    state: RefundState
    amount: Money
    failure: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class Refund(Aggregate):
    """Money going back to the customer of a payment, in the payment's currency."""

    id: RefundId
    payment_id: PaymentId
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    customer_id: UserId | None = None
    organization_id: OrganizationId
    amount: Money
    state: RefundState = RefundState.REQUESTED
    reason: str = ""
    gateway: str = ""
    gateway_ref: str | None = None
    failure: str = ""
    created_at: datetime
    settled_at: datetime | None = None

    @classmethod
    def request(cls, *, id: RefundId, payment: Payment, amount: Money, reason: str = "", now: datetime) -> "Refund":
        """Set part of the payment aside to be sent back; no more than is left of it, and none of what a bank decides
        about."""
        payment.must_be_undisputed()
        if amount > payment.refundable:
            raise RefundTooLarge(amount, payment.refundable)
        refund = cls._of(id=id, payment=payment, amount=amount, reason=reason, now=now)
        refund._record(RefundRequested(refund_id=id, payment_id=payment.id))
        return refund

    @classmethod
    def adopt(cls, *, id: RefundId, payment: Payment, news: GatewayRefund, now: datetime) -> "Refund":
        """Take into our books a refund that somebody made at the gateway by hand."""
        return cls._of(id=id, payment=payment, amount=news.amount, reason="made at the gateway", now=now)

    def knows(self, news: GatewayRefund) -> bool:
        """Whether following this news would change nothing."""
        told = self.gateway_ref == news.ref and self.amount == news.amount
        return told and _RANK[news.state] <= _RANK[self.state]

    def doubt(self) -> bool:
        """The gateway was asked and did not answer. Whether that is still worth asking about."""
        if self.state in _UNASKED:
            self.state = RefundState.UNKNOWN
        return self.state is RefundState.UNKNOWN

    @classmethod
    def _of(cls, *, id: RefundId, payment: Payment, amount: Money, reason: str, now: datetime) -> "Refund":
        reason = text(reason, field="reason", shortest=0, longest=500, lines=True)
        payment.reserve(amount)
        return cls(
            id=id,
            payment_id=payment.id,
            booking_id=payment.booking_id,
            invoice_id=payment.invoice_id,
            customer_id=payment.customer_id,
            organization_id=payment.organization_id,
            amount=amount,
            reason=reason,
            gateway=payment.gateway,
            created_at=now,
        )

    def _reach(self, state: RefundState, *, failure: str = "", now: datetime) -> None:
        self.state = state
        self.failure = failure
        if state is RefundState.SUCCEEDED:
            self.settled_at = now
            self._record(
                RefundSucceeded(
                    refund_id=self.id,
                    payment_id=self.payment_id,
                    booking_id=self.booking_id,
                    invoice_id=self.invoice_id,
                    amount=self.amount,
                )
            )
        elif state is RefundState.FAILED:
            self.settled_at = now
            self._record(
                RefundFailed(
                    refund_id=self.id,
                    payment_id=self.payment_id,
                    booking_id=self.booking_id,
                    invoice_id=self.invoice_id,
                    amount=self.amount,
                    reason=failure,
                )
            )


def settle_refund(refund: Refund, payment: Payment, news: GatewayRefund, *, now: datetime) -> Money:
    """Move a refund and its payment's figures together, forward only, as the gateway says.
    Answers what has left by this news (negative: what came back)."""
    nothing = Money.zero(refund.amount.currency)
    if news.amount != refund.amount:
        raise GatewayDisagrees("refund", refund.amount, news.amount)
    if refund.gateway_ref is None:
        refund.gateway, refund.gateway_ref = news.gateway, news.ref
    before = refund.state
    if _RANK[news.state] <= _RANK[before]:
        return nothing
    refund._reach(news.state, failure=news.failure, now=now)
    match before, news.state:
        case _, RefundState.SUCCEEDED:
            payment.give_back(refund.amount)
            return refund.amount
        case RefundState.SUCCEEDED, RefundState.FAILED:
            payment.take_back(refund.amount)
            return -refund.amount
        case _, RefundState.FAILED:
            payment.release(refund.amount)
    return nothing


def fail_refund(refund: Refund, payment: Payment, reason: str, *, now: datetime) -> None:
    """The gateway refused to make this refund; its money is free to be refunded another way."""
    if refund.state in _UNASKED:
        refund._reach(RefundState.FAILED, failure=reason, now=now)
        payment.release(refund.amount)
