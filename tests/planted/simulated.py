"""Bugs for the simulation to find, put in place of a part of the application: see `Stage`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from adapters.memory.store import MemoryStore
from adapters.persistence.schema import TABLES
from application.payments import RefundCancelledBooking
from application.ports.payments import OpenOrder, PaymentGateway, RefundOrder
from domain.bookings import BookingCancelled, BookingMissed
from domain.payments import GatewayPayment, GatewayRefund
from domain.shared.actors import Actor


def without_exclusion() -> dict[Any, Callable[..., Any]]:
    """The database does not keep two bookings of one provider apart."""
    bookings = TABLES["bookings"]
    kept = tuple(each for each in bookings.constraints if each.name != "bookings_no_overlap")
    declared = {**TABLES, "bookings": replace(bookings, constraints=kept)}
    return {"memory": lambda: MemoryStore(declared)}


class RefundTheFullCharge(RefundCancelledBooking):
    """Whatever the policy says, all of it goes back."""

    __slots__ = ()

    async def __call__(self, actor: Actor, event: BookingCancelled | BookingMissed) -> None:
        async with self.begin(actor) as work:
            booking = await work.bookings.get(event.booking_id)
        await RefundCancelledBooking.__call__(self, actor, replace(event, refund=booking.price))


def refund_the_full_charge() -> dict[Any, Callable[..., Any]]:
    """A cancellation gives everything back."""
    return {RefundCancelledBooking: RefundTheFullCharge}


class RandomKeys(PaymentGateway):
    """Every try goes to the gateway under a key of its own."""

    def __init__(self, good: PaymentGateway) -> None:
        self._good, self._tries = good, 0

    @property
    def name(self) -> str:
        return self._good.name

    async def open(self, order: OpenOrder) -> GatewayPayment:
        return await self._good.open(order)

    async def find(self, ref: str) -> GatewayPayment:
        return await self._good.find(ref)

    async def cancel(self, ref: str) -> GatewayPayment:
        return await self._good.cancel(ref)

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        self._tries += 1
        fresh = UUID(int=(order.refund_id.int + self._tries) % 2**128)
        return replace(await self._good.refund(replace(order, refund_id=fresh)), refund_id=order.refund_id)

    async def find_refund(self, ref: str) -> GatewayRefund:
        return await self._good.find_refund(ref)


def random_keys() -> dict[Any, Callable[..., Any]]:
    """Refunds are asked for under a new key each time."""
    return {"gateway": RandomKeys}
