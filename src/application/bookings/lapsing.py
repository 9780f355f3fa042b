"""Giving back what nobody paid or answered in time."""

from dataclasses import dataclass
from typing import ClassVar

from application.bookings.gate import lapse
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Between, Order
from application.ports.unit_of_work import Begin
from domain.bookings import BookingState, HoldDue
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, StaleVersion
from domain.shared.ids import BookingId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHold:
    """When the time to pay or to answer is over, the slot is free again; what was paid or moved meanwhile stays."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: HoldDue) -> None:
        await self.expire(actor, event.booking_id)

    async def expire(self, actor: Actor, booking_id: BookingId) -> bool:
        """Whether it had lapsed, and is now expired."""
        now = self.clock.now()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            if not booking.lapsed(now):
                return False
            lapse(work, booking, now=now)
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepHolds:
    """Expire the holds and requests whose time is over and whose reminder got lost, the oldest first, one commit each;
    says how many."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Forbidden,)

    async def __call__(self, actor: Actor, most: int = 100) -> int:
        actor.must_be_admin()
        async with self.begin(actor) as work:
            lapsed = await work.bookings.find(
                state=AnyOf((BookingState.HELD, BookingState.REQUESTED)),
                expires_at=Between(below=self.clock.now()),
                order=Order("expires_at"),
                limit=most,
            )
        expired = [await self._expire(actor, booking.id) for booking in lapsed]
        return sum(expired)

    async def _expire(self, actor: Actor, booking_id: BookingId) -> bool:
        try:
            return await ExpireHold(begin=self.begin, clock=self.clock).expire(actor, booking_id)
        except StaleVersion:
            return False  # paid, moved or expired by somebody else in this instant; the next sweep looks again
