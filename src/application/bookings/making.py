"""Making bookings and moving them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.bookings.gate import REFUSES, bookable, gate, give_back, hours_of
from application.inputs import submitted
from application.parties import side_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin, Work
from application.sharing import NOTHING_SHARED, Sharing
from domain.bookings import (
    AlreadyStarted,
    Booking,
    BookingStateRefused,
    Claim,
    HoldDue,
    HoldLapsed,
    OwnJob,
    Unmoved,
    WrongSide,
)
from domain.payments import Payment
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import BookingId, JobId, PaymentId, UserId
from domain.shared.terms import PaymentTerms
from domain.shared.time import Span, instant


@submitted
class Reservation:
    """Which slot of which job a customer wants."""

    job_id: JobId
    """The job to book."""
    starts_at: datetime
    """One of the starts the job's slots list, with its offset from UTC."""
    seats: int = 1
    """How many seats of a shared session; 1 for any other job."""
    note: str = ""
    """What the provider should know beforehand."""


@submitted
class Declining:
    """Why a provider says no."""

    reason: str = ""
    """What the customer is told."""


@submitted
class Rescheduling:
    """When a booking shall take place instead."""

    starts_at: datetime
    """Another of the starts the job's slots list, with its offset from UTC."""
    expected_version: int | None = None
    """The version of the booking you saw; refused when it has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSlot:
    """Book a free slot. A job paid in advance is held until it is paid or the time to pay is over; one that asks for
    the provider's yes becomes a request; any other is confirmed at once. Price and policy are kept as they are now."""

    begin: Begin
    clock: Clock
    ids: Ids
    hold: timedelta
    sharing: Sharing = NOTHING_SHARED
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, OwnJob, *REFUSES)

    async def __call__(self, actor: Actor, reservation: Reservation) -> Booking:
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = Booking.make(
                id=BookingId(self.ids.new()),
                reference=self.ids.reference(),
                claim=await _claim(work, actor.signed_in(), reservation),
                payment_id=PaymentId(self.ids.new()),
                hold=self.hold,
                now=now,
            )
            await gate(work, booking, now=now)
            work.bookings.add(booking)
            await _wait_for_it(work, booking, self.sharing, now=now)
            return work.answer(booking)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptBooking:
    """Say yes to a request: if the slot is still free it is taken, and held until the customer has paid where the job
    is paid in advance."""

    begin: Begin
    clock: Clock
    ids: Ids
    hold: timedelta
    sharing: Sharing = NOTHING_SHARED
    refuses: ClassVar[tuple[type[Refusal], ...]] = (WrongSide, BookingStateRefused, HoldLapsed, *REFUSES)

    async def __call__(self, actor: Actor, booking_id: BookingId) -> Booking:
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            job = await work.jobs.get(booking.job_id)
            booking.accept(
                by=await side_of(work, actor, booking),
                payment_id=PaymentId(self.ids.new()),
                hold=self.hold,
                capacity=job.capacity,
                now=now,
            )
            await gate(work, booking, now=now)
            await _wait_for_it(work, booking, self.sharing, now=now)
            return work.answer(booking)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineBooking:
    """Say no to a request; nothing was held and nothing is owed."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, WrongSide, BookingStateRefused)

    async def __call__(self, actor: Actor, booking_id: BookingId, declining: Declining) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.decline(by=side, reason=declining.reason, now=self.clock.now())
            return work.answer(booking)


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleBooking:
    """Move a booking that has not started to another free slot of its job. It stays the same booking at the same price
    and under the same policy, and a short-notice move does not win back a refund."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        WrongSide,
        BookingStateRefused,
        HoldLapsed,
        AlreadyStarted,
        Unmoved,
        Outdated,
        *REFUSES,
    )

    async def __call__(self, actor: Actor, booking_id: BookingId, rescheduling: Rescheduling) -> Booking:
        now, starts_at = self.clock.now(), instant(rescheduling.starts_at)
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.must_be(rescheduling.expected_version)
            job = await work.jobs.get(booking.job_id)
            give_back(work, booking)
            booking.reschedule(starts_at=starts_at, by=side, capacity=job.capacity, now=now)
            await gate(work, booking, now=now)
            if not booking.active:
                await _wait_for_it(work, booking, NOTHING_SHARED, now=now)
            return work.answer(booking)


async def _claim(work: Work, customer_id: UserId, reservation: Reservation) -> Claim:
    """What the customer and the provider agree on, as the job says it now."""
    job = await bookable(work, reservation.job_id)
    availability = await hours_of(work, job, reservation.starts_at)
    starts_at = instant(reservation.starts_at)
    return Claim(
        job_id=job.id,
        job_title=job.title,
        organization_id=job.organization_id,
        provider_id=job.provider_id,
        customer_id=customer_id,
        span=Span(starts_at, starts_at + timedelta(minutes=job.duration)),
        zone=availability.zone,
        buffer_before=job.buffer_before,
        buffer_after=job.buffer_after,
        seats=reservation.seats,
        capacity=job.capacity,
        price=job.price.times(reservation.seats),
        policy=job.policy,
        terms=job.terms,
        acceptance=job.acceptance,
        note=reservation.note,
    )


async def _wait_for_it(work: Work, booking: Booking, sharing: Sharing, *, now: datetime) -> None:
    """Ask for the money a hold waits for, and come back when the hold or request lapses."""
    if booking.awaits_payment and booking.payment_id is not None:
        later = booking.terms is PaymentTerms.AUTHORISED
        payment = Payment.request(
            id=booking.payment_id,
            booking_id=booking.id,
            customer_id=booking.customer_id,
            organization_id=booking.organization_id,
            amount=booking.price,
            share=None if later else await sharing.share(work, booking.organization_id, booking.price),
            capture_later=later,
            now=now,
        )
        work.payments.add(payment)
    if booking.expires_at is not None:
        work.schedule(HoldDue(booking_id=booking.id), about=booking, at=booking.expires_at)
