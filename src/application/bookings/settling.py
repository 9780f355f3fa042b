"""What a payment does to its booking, whenever it arrives."""

from dataclasses import dataclass

from application.bookings.gate import gate, give_back
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.bookings import BookingState, HoldDue, JobNotBookable, NotOffered, SlotTaken, SoldOut, TooManySeats
from domain.payments import AuthorisationEnded, PaymentAuthorised, PaymentCaptured
from domain.shared.actors import Actor
from domain.shared.ids import BookingId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleBooking:
    """A payment confirms the hold it was asked for. If the hold has expired meanwhile, the slot is taken again while it
    is still free; otherwise, or if the booking was called off, all of the money goes back. One or the other, once."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: PaymentCaptured) -> None:
        if event.booking_id is None:
            return
        try:
            await self._place(actor, event, event.booking_id)
        except (SlotTaken, SoldOut, NotOffered, JobNotBookable, TooManySeats):
            await self._give_up(actor, event, event.booking_id)

    async def _place(self, actor: Actor, event: PaymentCaptured, booking_id: BookingId) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            if booking.settled_by(event.payment_id):
                return
            if booking.awaits_payment:
                booking.confirm(payment_id=event.payment_id, amount=event.amount, now=now)
            elif booking.state is BookingState.EXPIRED:
                job = await work.jobs.get(booking.job_id)
                booking.retake(payment_id=event.payment_id, amount=event.amount, capacity=job.capacity, now=now)
                await gate(work, booking, now=now)
            else:
                booking.unplaceable(payment_id=event.payment_id, amount=event.amount)

    async def _give_up(self, actor: Actor, event: PaymentCaptured, booking_id: BookingId) -> None:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            if not booking.settled_by(event.payment_id):
                booking.unplaceable(payment_id=event.payment_id, amount=event.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureBooking:
    """Money that is set aside for a hold keeps the slot as long as it is; when the provider takes it, the booking
    stands."""

    begin: Begin

    async def __call__(self, actor: Actor, event: PaymentAuthorised) -> None:
        if event.booking_id is None:
            return
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            if booking.awaits_payment and booking.payment_id == event.payment_id and booking.expires_at != event.until:
                booking.secure(until=event.until)
                work.schedule(HoldDue(booking_id=event.booking_id), about=booking, at=event.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHold:
    """What was set aside for a hold is the customer's again, by our decision or because it lapsed: the slot is free."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: AuthorisationEnded) -> None:
        if event.booking_id is None:
            return
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            if booking.awaits_payment and booking.payment_id == event.payment_id:
                give_back(work, booking)
                booking.unsecured(now=self.clock.now())
