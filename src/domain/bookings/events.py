"""What happens to bookings, under names that outlive the code."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.shared.aggregate import Event
from domain.shared.ids import BookingId, OrganizationId, PaymentId, UserId
from domain.shared.money import Money
from domain.shared.terms import Side
from domain.shared.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingHeld(Event):
    """The slot waits for its payment until `expires_at`."""

    name: ClassVar[str] = "booking.held"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingSecured(Event):
    """The money for a hold is set aside until `expires_at`; taking it confirms the booking."""

    name: ClassVar[str] = "booking.secured"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequested(Event):
    """A customer asks; the provider may accept or decline."""

    name: ClassVar[str] = "booking.requested"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingAccepted(Event):
    """The provider said yes; a booking paid in advance now waits for its payment."""

    name: ClassVar[str] = "booking.accepted"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingDeclined(Event):
    """The provider said no; nothing was held and nothing paid."""

    name: ClassVar[str] = "booking.declined"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingConfirmed(Event):
    """It stands: free, paid, or to be paid later as agreed."""

    name: ClassVar[str] = "booking.confirmed"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    span: Span
    payment_id: PaymentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRescheduled(Event):
    """The same booking at another time; `sequence` numbers its times for calendars."""

    name: ClassVar[str] = "booking.rescheduled"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    previous: Span
    span: Span
    sequence: int
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelled(Event):
    """It is off, the time is free again, and `refund` of what was paid goes back."""

    name: ClassVar[str] = "booking.cancelled"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    by: Side
    refund: Money
    payment_id: PaymentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCompleted(Event):
    """The work is done."""

    name: ClassVar[str] = "booking.completed"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMissed(Event):
    """The customer did not turn up; `refund` is what the policy gives back even so."""

    name: ClassVar[str] = "booking.no_show"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    refund: Money
    payment_id: PaymentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingExpired(Event):
    """Nobody paid, or answered, in time."""

    name: ClassVar[str] = "booking.expired"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    payment_id: PaymentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingUnplaceable(Event):
    """A payment found its booking gone; all of it goes back."""

    name: ClassVar[str] = "booking.unplaceable"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
    organization_id: OrganizationId
    reference: str
    payment_id: PaymentId
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDue(Event):
    """Scheduled for the moment a hold or a request lapses."""

    name: ClassVar[str] = "booking.hold_due"
    booking_id: BookingId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDue(Event):
    """Scheduled for an hour after a completed booking's end."""

    name: ClassVar[str] = "booking.review_due"
    booking_id: BookingId
    customer_id: UserId
    provider_id: UserId
