"""Paying: the customer starts, the gateway opens, and what nobody will pay any more is closed."""

from dataclasses import dataclass
from typing import ClassVar

from application.parties import is_addressed
from application.payments.settling import ask_to_open, follow, reachable, take_opening
from application.ports.clock import Clock
from application.ports.criteria import AnyOf
from application.ports.ids import Ids
from application.ports.payments import GatewayUnavailable, PaymentGateway
from application.ports.unit_of_work import Begin, Work
from application.sharing import NOTHING_SHARED, Sharing
from domain.bookings import BookingExpired
from domain.invoicing import CreditNoteIssued, InvoiceSettled
from domain.payments import (
    AlreadyPaid,
    Payment,
    PaymentCalledOff,
    PaymentRequested,
    PaymentState,
    PaymentStrayed,
)
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, StaleVersion, Unauthenticated
from domain.shared.ids import PaymentId
from domain.shared.money import Money

_UNDER_WAY = AnyOf(
    tuple(state for state in PaymentState if state not in (PaymentState.CAPTURED, PaymentState.CANCELLED))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What a customer's browser needs to pay at the gateway; the secret is theirs alone, and empty until it is open."""

    payment_id: PaymentId
    amount: Money
    state: PaymentState
    failure: str
    gateway: str
    gateway_ref: str | None
    client_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPayment:
    """Pay for a booking or of an invoice, or try again after a payment failed: a fresh attempt replaces the failed one,
    and a live one simply goes on, so that there is never more than one to pay."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, AlreadyPaid, PaymentCalledOff)
    begin: Begin
    sharing: Sharing = NOTHING_SHARED

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> Payment:
        async with self.begin(actor) as work:
            payment = await own_payment(work, actor, payment_id)
            await still_wanted(work, payment)
            payment.start(await self.sharing.share(work, payment.organization_id, payment.amount))
            return work.answer(payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCheckout:
    """What you need to pay for your booking: where, how much, and the secret that lets you."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound)
    begin: Begin

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> Checkout:
        async with self.begin(actor) as work:
            payment = await own_payment(work, actor, payment_id)
        return Checkout(
            payment_id=payment.id,
            amount=payment.amount,
            state=payment.state,
            failure=payment.failure,
            gateway=payment.gateway,
            gateway_ref=payment.gateway_ref if payment.is_payable else None,
            client_secret=payment.client_secret if payment.is_payable else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPayment:
    """Ask the gateway how a payment stands and follow it, without waiting to be told. The answer of a browser that
    returns from the gateway is not believed; this is."""

    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NotFound, GatewayUnavailable)
    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, payment_id: PaymentId) -> Payment:
        async with self.begin(actor) as work:
            payment = await own_payment(work, actor, payment_id)
        if payment.gateway_ref is None:
            return payment
        reachable(self.gateway, payment.gateway)
        news = await self.gateway.find(payment.gateway_ref)
        async with self.begin(actor) as work:
            payment = await work.payments.get(payment_id)
            follow(work, payment, news, ids=self.ids, now=self.clock.now())
            return work.answer(payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayment:
    """A payment that was asked for is opened at the gateway, under our own id, so that asking twice opens it once."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: PaymentRequested) -> None:
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
        if payment.state is not PaymentState.REQUESTED or payment.attempt != event.attempt:
            return
        answer = await ask_to_open(self.gateway, payment)
        async with self.begin(actor) as work:
            payment = await work.payments.get(event.payment_id)
            take_opening(work, payment, answer, ids=self.ids, now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonPayment:
    """Nobody will pay this any more: it is closed at the gateway. Should the money be there already, it is taken into
    the books, and the booking decides whether it is kept."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: BookingExpired | PaymentStrayed) -> None:
        if event.payment_id is not None:
            await abandon(event.payment_id, actor, self.begin, self.clock, self.ids, self.gateway)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonRival:
    """A payment that is under way for more than is left of its invoice is closed at the gateway, so that nobody pays
    twice. Should it be paid all the same, what is too much goes back."""

    begin: Begin
    clock: Clock
    ids: Ids
    gateway: PaymentGateway

    async def __call__(self, actor: Actor, event: InvoiceSettled | CreditNoteIssued) -> None:
        async with self.begin(actor) as work:
            invoice = await work.invoices.get(event.invoice_id)
            rival = await work.payments.first(invoice_id=event.invoice_id, state=_UNDER_WAY)
        if rival is not None and invoice.left < rival.amount:
            await abandon(PaymentId(rival.id), actor, self.begin, self.clock, self.ids, self.gateway)


async def abandon(
    payment_id: PaymentId, actor: Actor, begin: Begin, clock: Clock, ids: Ids, gateway: PaymentGateway
) -> None:
    """Close a payment at the gateway and follow what it says; where nothing is open there, just call it off. A booking
    that was never accepted has none."""
    async with begin(actor) as work:
        asked = await work.payments.first(id=payment_id)
    if asked is None or asked.is_captured:
        return
    news, closed = None, asked.gateway_ref
    if closed is not None:
        reachable(gateway, asked.gateway)
        news = await gateway.cancel(closed)
    async with begin(actor) as work:
        payment = await work.payments.get(payment_id)
        if payment.gateway_ref != closed:
            raise StaleVersion("the payment was opened anew meanwhile", payment=str(payment_id))
        if news is not None:
            follow(work, payment, news, ids=ids, now=clock.now())
        payment.withdraw()


async def still_wanted(work: Work, payment: Payment) -> None:
    """Refuse to start a payment of what nobody waits for any more."""
    if payment.booking_id is not None:
        booking = await work.bookings.get(payment.booking_id)
        if not (payment.is_captured or booking.awaits_payment):
            raise PaymentCalledOff("this payment was called off with its booking; book again")
        work.guard(booking)
    elif payment.invoice_id is not None:
        invoice = await work.invoices.get(payment.invoice_id)
        if not (payment.is_captured or (invoice.awaits_payment and payment.amount <= invoice.left)):
            raise PaymentCalledOff("this is no longer to be paid like that; look at the invoice again")
        work.guard(invoice)


async def own_payment(work: Work, actor: Actor, payment_id: PaymentId) -> Payment:
    """The payment, for its customer, the reader of its invoice, and whoever looks after the house."""
    if not (actor.is_admin or actor.is_system):
        actor.signed_in()
    payment = await work.payments.get(payment_id)
    if actor.is_user(payment.customer_id) or actor.is_admin or actor.is_system:
        return payment
    if payment.invoice_id and await is_addressed(work, actor, await work.invoices.get(payment.invoice_id)):
        return payment
    raise NotFound.of("payment", payment_id)
