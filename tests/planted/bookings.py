"""Ways of booking that others have paid for, to be put in the place of ours: see `Stage`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from unittest.mock import patch

from adapters.memory.store import MemoryStore
from adapters.persistence.store import Changes, Numbers
from application.bookings import (
    AcceptBooking,
    BookSlot,
    CancelBooking,
    Cancellation,
    ExpireHold,
    RescheduleBooking,
    Rescheduling,
    Reservation,
    SettleBooking,
    SweepHolds,
)
from application.bookings.gate import gate, give_back
from application.bookings.making import _wait_for_it
from application.parties import side_of
from application.ports.clock import Clock
from application.ports.criteria import Overlaps
from domain.bookings import Booking, BookingExpired, BookingState, HoldDue, SlotTaken
from domain.bookings.states import PATHS
from domain.payments import PaymentCaptured
from domain.scheduling.stretches import Stretch
from domain.scheduling.walltime import Regime
from domain.shared.actors import Actor
from domain.shared.ids import BookingId, PaymentId
from domain.shared.time import Span, instant, zone


class SeatsWithoutCeiling(MemoryStore):
    """Seats are counted in the commit, and that is all."""

    async def commit(self, changes: Changes) -> Numbers:
        tallies = tuple(replace(tally, ceiling=None) for tally in changes.tallies)
        return await super().commit(replace(changes, tallies=tallies))


class ReadsWithoutGuards(MemoryStore):
    """The job and the hours that were looked at may have changed before the commit."""

    async def commit(self, changes: Changes) -> Numbers:
        return await super().commit(replace(changes, guards=()))


class KeepsSeats(CancelBooking):
    """Cancels the booking and forgets that its seats are counted elsewhere: the slot stays taken."""

    async def __call__(self, actor: Actor, booking_id: BookingId, cancellation: Cancellation) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.must_be(cancellation.expected_version)
            booking.cancel(by=side, reason=cancellation.reason, now=self.clock.now())
            return work.answer(booking)


class KeepsOldSlot(RescheduleBooking):
    """Takes the new slot and does not let go of the old one."""

    async def __call__(self, actor: Actor, booking_id: BookingId, rescheduling: Rescheduling) -> Booking:
        now, starts_at = self.clock.now(), instant(rescheduling.starts_at)
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.must_be(rescheduling.expected_version)
            job = await work.jobs.get(booking.job_id)
            booking.reschedule(starts_at=starts_at, by=side, capacity=job.capacity, now=now)
            await gate(work, booking, now=now)
            if not booking.active:
                _wait_for_it(work, booking, now=now)
            return work.answer(booking)


class MovesAtTodaysPrice(RescheduleBooking):
    """Asks what the job costs now when a booking is moved."""

    async def __call__(self, actor: Actor, booking_id: BookingId, rescheduling: Rescheduling) -> Booking:
        now, starts_at = self.clock.now(), instant(rescheduling.starts_at)
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            side = await side_of(work, actor, booking)
            booking.must_be(rescheduling.expected_version)
            job = await work.jobs.get(booking.job_id)
            give_back(work, booking)
            booking.reschedule(starts_at=starts_at, by=side, capacity=job.capacity, now=now)
            booking.price = job.price.times(booking.seats)
            await gate(work, booking, now=now)
            return work.answer(booking)


class RefundsByTodaysPolicy(CancelBooking):
    """Looks the policy and the price up in the job when a booking is cancelled, instead of in what was agreed on."""

    async def __call__(self, actor: Actor, booking_id: BookingId, cancellation: Cancellation) -> Booking:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            job = await work.jobs.get(booking.job_id)
            side = await side_of(work, actor, booking)
            booking.must_be(cancellation.expected_version)
            give_back(work, booking)
            agreed = booking.price, booking.policy
            booking.price, booking.policy = job.price.times(booking.seats), job.policy
            booking.cancel(by=side, reason=cancellation.reason, now=self.clock.now())
            booking.price, booking.policy = agreed
            return work.answer(booking)


class AcceptsUnseen(AcceptBooking):
    """Saying yes is a change of state; whether the slot is still free was judged when it was asked for."""

    async def __call__(self, actor: Actor, booking_id: BookingId) -> Booking:
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            job = await work.jobs.get(booking.job_id)
            by = await side_of(work, actor, booking)
            payment_id = PaymentId(self.ids.new())
            booking.accept(by=by, payment_id=payment_id, hold=self.hold, capacity=job.capacity, now=now)
            _wait_for_it(work, booking, now=now)
            return work.answer(booking)


class ForgetsLateMoney(SettleBooking):
    """A payment confirms the hold that waits for it; what comes later is nobody's business."""

    async def __call__(self, actor: Actor, event: PaymentCaptured) -> None:
        if event.booking_id is None:
            return
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            if booking.awaits_payment:
                booking.confirm(payment_id=event.payment_id, amount=event.amount, now=self.clock.now())


class TakesBackUnseen(SettleBooking):
    """Late money confirms the booking, whoever has the slot by now."""

    async def _place(self, actor: Actor, event: PaymentCaptured, booking_id: BookingId) -> None:
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            if booking.settled_by(event.payment_id):
                return
            if booking.state is BookingState.EXPIRED:
                booking.retake(payment_id=event.payment_id, amount=event.amount, capacity=booking.capacity, now=now)
            elif booking.awaits_payment:
                booking.confirm(payment_id=event.payment_id, amount=event.amount, now=now)
            else:
                booking.unplaceable(payment_id=event.payment_id, amount=event.amount)


class ExpiresWithoutLooking(ExpireHold):
    """The timer was set for a hold, so a hold it is when it rings."""

    async def __call__(self, actor: Actor, event: HoldDue) -> None:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
            if not PATHS[booking.state]:
                return
            give_back(work, booking)
            booking.state = BookingState.EXPIRED
            booking._happened(BookingExpired, payment_id=booking.payment_id)


class NeverExpires(ExpireHold):
    """Nobody wrote what happens when the time to pay is over."""

    async def __call__(self, actor: Actor, event: HoldDue) -> None:
        """Nothing."""


class NeverSweeps(SweepHolds):
    """The sweeper was never switched on."""

    async def __call__(self, actor: Actor, most: int = 100) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class AnHourAhead(Clock):
    """Local time taken for UTC."""

    right: Clock

    def now(self) -> datetime:
        return self.right.now() + timedelta(hours=1)


class SweepsAnHourEarly(SweepHolds):
    """Compares the expiry with local time."""

    async def __call__(self, actor: Actor, most: int = 100) -> int:
        return await SweepHolds(begin=self.begin, clock=AnHourAhead(self.clock))(actor, most)


class LapsedHoldsBlock(BookSlot):
    """Takes every hold for a booking, also one whose time is over; freeing it is the sweeper's work."""

    async def __call__(self, actor: Actor, reservation: Reservation) -> Booking:
        starts_at = instant(reservation.starts_at)
        async with self.begin(actor) as work:
            job = await work.jobs.first(id=reservation.job_id)
            if job is not None and job.capacity == 1:
                wanted = Overlaps(Span(starts_at, starts_at + timedelta(minutes=job.duration)))
                if await work.bookings.find(provider_id=job.provider_id, active=True, blocked=wanted):
                    raise SlotTaken(starts_at=starts_at.isoformat())
        return await BookSlot.__call__(self, actor, reservation)


def _one_offset(zone_name: str, first_day: int, last_day: int) -> list[Regime]:
    noon = datetime.fromtimestamp(first_day * 86_400 + 43_200, UTC).astimezone(zone(zone_name))
    offset = noon.utcoffset() or timedelta()
    since, until = (first_day - 2) * 86_400, (last_day + 3) * 86_400
    return [(since, until, offset // timedelta(seconds=1))]


def _between(opens: int, closes: int, clocks: list[Regime]) -> list[Stretch]:
    return [((opens * 60 - clocks[0][2]) // 60, (closes * 60 - clocks[0][2]) // 60)]


@contextmanager
def wall_clock_arithmetic() -> Iterator[None]:
    """Adds hours to a local time: the offset of the first day holds for all of them."""
    engine: Any = import_module("domain.scheduling.slots")  # the package has a function of that name
    with ExitStack() as stack:
        stack.enter_context(patch.object(engine, "around", _one_offset))
        stack.enter_context(patch.object(engine, "showing", _between))
        yield


@contextmanager
def without_buffers() -> Iterator[None]:
    """Keeps only the booking itself free of others; the way there and back is listed, and not blocked."""

    def own_time(booking: Any) -> Span:
        span: Span = booking.span
        return span

    with patch.object(Booking, "blocked", property(own_time)):
        yield
