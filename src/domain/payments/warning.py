"""An early warning of fraud: the card's owner has told their bank that it was not them, and a dispute is likely."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.payments.payment import Payment
from domain.payments.refusals import WarningHeeded
from domain.shared.aggregate import Aggregate, Event
from domain.shared.ids import BookingId, FraudWarningId, InvoiceId, OrganizationId, PaymentId, RefundId


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudWarned(Event):
    """A bank warns that a payment may have been made with a stolen card."""

    name: ClassVar[str] = "payment.fraud_warned"
    warning_id: FraudWarningId
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayWarning:
    """What a gateway says of a warning at the moment of asking. `actionable` while a refund would still help."""

    gateway: str
    ref: str
    payment_ref: str
    reason: str
    actionable: bool
    warned_at: datetime


@dataclass(eq=False, slots=True, kw_only=True)
class FraudWarning(Aggregate):
    """A warning about one payment, and the refund by which it was heeded, if it was. `actionable` as the gateway last
    said."""

    id: FraudWarningId
    payment_id: PaymentId
    booking_id: BookingId | None = None
    invoice_id: InvoiceId | None = None
    organization_id: OrganizationId
    reason: str
    actionable: bool
    gateway: str
    gateway_ref: str
    refund_id: RefundId | None = None
    warned_at: datetime
    created_at: datetime

    @classmethod
    def take(cls, *, id: FraudWarningId, payment: Payment, news: GatewayWarning, now: datetime) -> "FraudWarning":
        """Write a warning down; those who can look at it are told."""
        warning = cls(
            id=id,
            payment_id=payment.id,
            booking_id=payment.booking_id,
            invoice_id=payment.invoice_id,
            organization_id=payment.organization_id,
            reason=news.reason,
            actionable=news.actionable,
            gateway=news.gateway,
            gateway_ref=news.ref,
            warned_at=news.warned_at,
            created_at=now,
        )
        warning._record(
            FraudWarned(
                warning_id=id,
                payment_id=payment.id,
                booking_id=payment.booking_id,
                invoice_id=payment.invoice_id,
            )
        )
        return warning

    def follow(self, news: GatewayWarning) -> None:
        """What can no longer be acted on never can be again, whatever the order we are told in."""
        self.actionable = self.actionable and news.actionable

    def heed(self, refund_id: RefundId) -> None:
        """The money goes back before the bank takes it."""
        if self.refund_id is not None:
            raise WarningHeeded("the money went back after this warning", refund=str(self.refund_id))
        self.refund_id = refund_id
