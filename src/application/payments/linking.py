"""The pay link of a booking: whoever holds it may see what is to be paid and pay it, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import ClassVar

from application.ports.identity import OneTimeSecrets
from application.ports.mail import Links
from application.ports.unit_of_work import Begin
from domain.bookings import Booking, BookingState
from domain.payments import Payment, PaymentState
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import BookingId, OneTimeTokenId, PaymentId
from domain.shared.money import Money
from domain.shared.time import Span


def pay_secret(secrets: OneTimeSecrets, booking_id: BookingId) -> str:
    """What makes a booking's pay link work: derived like that of any mailed link, here from the booking's own id, so
    that it outlives failed attempts and is kept nowhere."""
    return secrets.secret(OneTimeTokenId(booking_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPay:
    """A booking and its payment, as the holder of its pay link sees them. Where and by which secret the gateway takes
    the money is empty while it cannot be paid."""

    booking_id: BookingId
    reference: str
    title: str
    span: Span
    zone: str
    price: Money
    booking: BookingState
    expires_at: datetime | None
    payment_id: PaymentId | None
    payment: PaymentState | None
    failure: str
    gateway: str
    gateway_ref: str | None
    client_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPayLink:
    """The address where a booking of yours is paid in a browser. Whoever has it may pay, so only you are told."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)

    async def __call__(self, actor: Actor, booking_id: BookingId) -> str:
        if not actor.is_admin:
            actor.signed_in()
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
        if booking.payment_id is None or not (actor.is_user(booking.customer_id) or actor.is_admin):
            raise NotFound.of("payment", booking_id)
        return self.links.pay(booking_id, pay_secret(self.one_time_secrets, booking_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayLink:
    """What a booking costs and how its payment stands, for whoever holds its pay link."""

    begin: Begin
    one_time_secrets: OneTimeSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, booking_id: BookingId, secret: str) -> ToPay:
        wanted = self.one_time_secrets.digest(pay_secret(self.one_time_secrets, booking_id))
        if not compare_digest(self.one_time_secrets.digest(secret), wanted):
            raise NotFound.of("booking", booking_id)
        async with self.begin(actor) as work:
            booking = await work.bookings.get(booking_id)
            payment = await work.payments.first(id=booking.payment_id) if booking.payment_id else None
        return _to_pay(booking, payment)


def _to_pay(booking: Booking, payment: Payment | None) -> ToPay:
    payable = payment is not None and payment.is_payable and booking.state is BookingState.HELD
    return ToPay(
        booking_id=booking.id,
        reference=booking.reference,
        title=booking.job_title,
        span=booking.span,
        zone=booking.zone,
        price=booking.price,
        booking=booking.state,
        expires_at=booking.expires_at,
        payment_id=booking.payment_id,
        payment=payment.state if payment else None,
        failure=payment.failure if payment else "",
        gateway=payment.gateway if payment else "",
        gateway_ref=payment.gateway_ref if payment and payable else None,
        client_secret=payment.client_secret if payment and payable else None,
    )
