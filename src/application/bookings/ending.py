"""Ending bookings: called off, done, or missed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.bookings.gate import give_back
from application.inputs import submitted
from application.parties import side_of
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.bookings import AlreadyStarted, Booking, BookingStateRefused, NotStarted, ReviewDue, WrongSide
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Outdated, Refusal
from domain.shared.ids import BookingId

REVIEW_AFTER = timedelta(hours=1)
"""How long after the end of completed work its parties are asked about it."""


@submitted
class Cancellation:
    """Why a booking is called off."""

    reason: str = ""
    """What the other side is told."""
    expected_version: int | None = None
    """The version of the booking you saw; refused when it has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBooking:
    """Call a booking off. The customer may until it starts, and gets back what the policy they booked under gives for
    that much notice; called off by the provider's side, everything that was paid goes back."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, BookingStateRefused, AlreadyStarted, Outdated)

    async def __call__(self, actor: Actor, booking_id: BookingId, cancellation: Cancellation) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.must_be(cancellation.expected_version)
            give_back(work, booking)
            booking.cancel(by=side, reason=cancellation.reason, now=self.clock.now())
            return work.answer(booking)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteBooking:
    """Say that the work is done, from its start on; an hour after its end both sides are asked for a review."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, WrongSide, BookingStateRefused, NotStarted)

    async def __call__(self, actor: Actor, booking_id: BookingId) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            booking.complete(by=await side_of(work, actor, booking), now=self.clock.now())
            asking = ReviewDue(booking_id=booking.id, customer_id=booking.customer_id, provider_id=booking.provider_id)
            work.schedule(asking, about=booking, at=booking.span.ends_at + REVIEW_AFTER)
            return work.answer(booking)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNoShow:
    """Say that the customer did not turn up; what the policy gives back even then is refunded."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, WrongSide, BookingStateRefused, NotStarted)

    async def __call__(self, actor: Actor, booking_id: BookingId) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            booking.mark_no_show(by=await side_of(work, actor, booking), now=self.clock.now())
            return work.answer(booking)
