"""Capturing: what a customer had set aside is taken, whole or in part, or let go. The provider's side decides; the
gateway is asked when that is stored."""

from dataclasses import dataclass
from typing import ClassVar

from application.inputs import submitted
from application.parties import manages, side_of
from application.payments.paying import abandon
from application.payments.settling import follow, reachable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import (
    CaptureOrder,
    Declined,
    GatewaySilent,
    GatewayUnavailable,
    PaymentGateway,
)
from application.ports.unit_of_work import Begin, Work
from domain.payments import (
    CaptureRequested,
    CaptureTooLarge,
    CaptureUnderWay,
    GatewayPayment,
    NotAuthorised,
    Payment,
    PaymentAuthorised,
    PaymentState,
    ReleaseRequested,
)
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from domain.shared.ids import PaymentId
from domain.shared.money import Money


class NotYoursToCapture(Forbidden):
    """An owner or manager takes what is set aside; a customer cancels, and it is let go."""

    code = "payment.not_yours_to_capture"


@submitted
class Capture:
    """How much to take of what is set aside."""

    amount_minor: int | None = None
    """The amount in the payment's smallest unit (cents, yen); leave it out to take all of it. The rest is let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePayment:
    """Take what a customer had set aside for a booking, all of it or less; that confirms the booking. It is taken once,
    and what is left of it is the customer's again."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NotYoursToCapture,
        NotAuthorised,
        CaptureTooLarge,
        CaptureUnderWay,
        Invalid,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, payment_id: PaymentId, capture: Capture) -> Payment:
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            await _must_manage(work, actor, payment)
            amount = payment.amount
            if capture.amount_minor is not None:
                amount = Money(capture.amount_minor, amount.currency)
            payment.capture(amount, now=self.clock.now())
            return work.answer(payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePayment:
    """Let go of what a customer had set aside for a booking: nothing is taken, and the slot is free again."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotFound,
        NotYoursToCapture,
        NotAuthorised,
        CaptureUnderWay,
    )
    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> Payment:
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            await _must_manage(work, actor, payment)
            payment.let_go(now=self.clock.now())
            return work.answer(payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCapture:
    """A capture that was decided is made by the gateway. Without an answer it is asked again under the same key; where
    it refuses, it says how things stand: taken already, lapsed, or still to be decided about."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: CaptureRequested) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
        if payment.state is not PaymentState.AUTHORISED or payment.capturing != event.amount:
            return
        reachable(self.gateway, payment.gateway)
        news, refused = await self._ask(payment, event.amount)
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            follow(work, payment, news, ids=self.ids, now=self.clock.now())
            if refused:
                payment.refuse_capture(refused)

    async def _ask(self, payment: Payment, amount: Money) -> tuple[GatewayPayment, str]:
        ref = payment.gateway_ref or ""
        order = CaptureOrder(payment_id=PaymentId(payment.id), payment_ref=ref, attempt=payment.attempt, amount=amount)
        try:
            return await self.gateway.capture(order), ""
        except Declined as refusal:
            return await self.gateway.find(ref), refusal.reason
        except GatewaySilent as silence:
            raise GatewayUnavailable("the capture was not answered; it is asked for again") from silence


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """What nobody wants to take is let go at the gateway: by the provider's decision, or because its booking was over
    before it was set aside."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: ReleaseRequested | PaymentAuthorised) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            booking = await work.bookings.first(id=event.booking_id) if event.booking_id else None
        wanted = isinstance(event, PaymentAuthorised) and booking is not None and booking.awaits_payment
        if payment.state is PaymentState.AUTHORISED and payment.capturing is None and not wanted:
            await abandon(event.payment_id, actor, self.begin, self.clock, self.ids, self.gateway)


async def _must_manage(work: Work, actor: Actor, payment: Payment) -> None:
    """Only who may see an organization's money may take it; to strangers the payment does not exist."""
    if await manages(work, actor, payment.organization_id):
        return
    if payment.booking_id is not None:
        await side_of(work, actor, await work.bookings.get(payment.booking_id))
        raise NotYoursToCapture("only an owner or manager takes or lets go of what is set aside")
    raise NotFound.of("payment", payment.id)
