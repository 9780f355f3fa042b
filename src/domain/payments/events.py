"""What happens to payments, under names that outlive the code."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.shared.aggregate import Event
from domain.shared.ids import BookingId, InvoiceId, PaymentId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequested(Event):
    """The gateway is to be asked to open this attempt of the payment."""

    name: ClassVar[str] = "payment.requested"
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured(Event):
    """The money is at the gateway, in our name."""

    name: ClassVar[str] = "payment.captured"
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorised(Event):
    """The money is set aside on the customer's card until then; it is ours to take or to let go."""

    name: ClassVar[str] = "payment.authorised"
    payment_id: PaymentId
    booking_id: BookingId | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRequested(Event):
    """The gateway is to be asked to take this much of what is set aside."""

    name: ClassVar[str] = "payment.capture_requested"
    payment_id: PaymentId
    booking_id: BookingId | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFailed(Event):
    """The gateway would not take what is set aside; it is still there to be taken otherwise, or let go."""

    name: ClassVar[str] = "payment.capture_failed"
    payment_id: PaymentId
    booking_id: BookingId | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequested(Event):
    """The gateway is to be asked to let go of what is set aside."""

    name: ClassVar[str] = "payment.release_requested"
    payment_id: PaymentId
    booking_id: BookingId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationEnded(Event):
    """What was set aside is the customer's again: let go by us, or lapsed at the gateway."""

    name: ClassVar[str] = "payment.authorisation_ended"
    payment_id: PaymentId
    booking_id: BookingId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """The attempt came to nothing; the customer may try again."""

    name: ClassVar[str] = "payment.failed"
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStrayed(Event):
    """The gateway opened a payment that had been called off meanwhile; it has to be closed there."""

    name: ClassVar[str] = "payment.strayed"
    payment_id: PaymentId
    booking_id: BookingId | None
    invoice_id: InvoiceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDoubted(Event):
    """Scheduled: ask the gateway again about an attempt whose outcome is unknown. `tries` were made before."""

    name: ClassVar[str] = "payment.doubted"
    payment_id: PaymentId
    attempt: int
    tries: int
