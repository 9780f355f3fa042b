"""What every payment gateway promises: the simulated one, and Stripe's adapter against Stripe's counterpart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiohttp import web

from adapters.simulated_gateway import Books, Deliveries, SimulatedGateway, SimulatedVerifier
from adapters.stripe import StripeGateway, StripeVerifier
from adapters.system.clock import StandingClock, SystemClock
from adapters.system.ids import SeededIds
from application.ports.payments import (
    BadSignature,
    CaptureOrder,
    Declined,
    GatewaySilent,
    OpenOrder,
    PaymentGateway,
    RefundOrder,
    WebhookVerifier,
)
from domain.payments import GatewayPayment, PaymentState, RefundState
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, PaymentId, RefundId
from domain.shared.money import Money
from tests.support.localstripe_server import API_KEY, LocalStripe, local_stripe, localstripe, served

__all__ = ["localstripe"]

# Stripe's client hands its forms to httpx in a way httpx would like to be spelled differently.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRICE = Money(10_000, "EUR")
SECRET, OTHER_SECRET = "whsec_one", "whsec_other"
S, R = PaymentState, RefundState
Message = tuple[bytes, dict[str, str]]

STRIPE_CARDS = {
    "ok": "4242424242424242",
    "declined": "4000000000000341",
    "3ds": "4000002500003155",
}


@dataclass(slots=True, kw_only=True)
class Counterpart:
    """A gateway under test, and the hands of those on its other side."""

    gateway: PaymentGateway
    verifier: Callable[[list[str]], WebhookVerifier]
    pay: Callable[[GatewayPayment, str], Awaitable[object]]
    approve: Callable[[GatewayPayment, bool], Awaitable[object]]
    message_about: Callable[[str], Awaitable[Message]]


@asynccontextmanager
async def simulated() -> AsyncIterator[Counterpart]:
    clock = StandingClock(NOW)
    ids = SeededIds(clock, seed="gateway")
    posted: list[Message] = []

    def take(request: httpx.Request) -> httpx.Response:
        posted.append((request.content, dict(request.headers)))
        return httpx.Response(204)

    books = Books(":memory:")
    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        deliveries = Deliveries(books, client=client, url="http://here/webhooks/simulated", secret=SECRET, clock=clock)
        gateway = SimulatedGateway(books, deliveries, clock=clock, ids=ids, secret="a secret")

        async def message_about(ref: str) -> Message:
            await deliveries.deliver_due()
            return next(message for message in posted if ref.encode() in message[0])

        yield Counterpart(
            gateway=gateway,
            verifier=lambda secrets: SimulatedVerifier(secrets, clock),
            pay=lambda payment, card: gateway.confirm(payment.ref, payment.client_secret or "", card),
            approve=lambda payment, yes: gateway.authenticate_3ds(payment.ref, payment.client_secret or "", yes),
            message_about=message_about,
        )
    books.close()


@asynccontextmanager
async def stripe(local: LocalStripe) -> AsyncIterator[Counterpart]:
    gateway = StripeGateway(api_key=API_KEY, api_base=local.api_base)
    posted: asyncio.Queue[Message] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        posted.put_nowait((await request.read(), dict(request.headers)))
        return web.Response(status=204)

    async def message_about(ref: str) -> Message:
        # What happened in an earlier test may still arrive.
        async with asyncio.timeout(10):
            while ref.encode() not in (message := await posted.get())[0]:
                pass
        return message

    async with served(take) as url:
        await local.send_webhooks_to(f"{url}/webhooks/stripe", SECRET)
        yield Counterpart(
            gateway=gateway,
            verifier=lambda secrets: StripeVerifier(secrets, SystemClock()),
            pay=lambda payment, card: local.pay(payment.ref, STRIPE_CARDS[card]),
            approve=lambda payment, yes: local.authenticate(payment.ref, payment.client_secret or "", yes),
            message_about=message_about,
        )
    await gateway.aclose()


@pytest.fixture(params=["simulated", "stripe"])
async def counterpart(request: pytest.FixtureRequest) -> AsyncIterator[Counterpart]:
    if request.param == "simulated":
        async with simulated() as made:
            yield made
    else:
        async with local_stripe(request.getfixturevalue("localstripe")) as local, stripe(local) as made:
            yield made


def an_order(number: int = 1, **told: Any) -> OpenOrder:
    facts: dict[str, Any] = {
        "payment_id": PaymentId(UUID(int=number)),
        "booking_id": BookingId(UUID(int=2)),
        "attempt": 1,
        "amount": PRICE,
    }
    return OpenOrder(**(facts | told))


def a_refund(payment: GatewayPayment, minor: int, number: int = 1) -> RefundOrder:
    return RefundOrder(
        refund_id=RefundId(UUID(int=900 + number)),
        payment_ref=payment.ref,
        amount=Money(minor, payment.amount.currency),
        reason="the booking was cancelled",
    )


async def paid(counterpart: Counterpart, **told: Any) -> GatewayPayment:
    payment = await counterpart.gateway.open(an_order(**told))
    await counterpart.pay(payment, "ok")
    return payment


async def test_an_opened_payment_is_ours_and_waits_for_the_customer(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    assert payment.gateway == counterpart.gateway.name
    assert (payment.payment_id, payment.attempt) == (PaymentId(UUID(int=1)), 1)
    assert (payment.state, payment.amount, payment.captured) == (S.OPEN, PRICE, Money.zero("EUR"))
    assert payment.ref
    assert payment.client_secret
    assert await counterpart.gateway.find(payment.ref) == payment


async def test_asking_twice_opens_one_payment(counterpart: Counterpart) -> None:
    first = await counterpart.gateway.open(an_order())
    assert await counterpart.gateway.open(an_order()) == first


async def test_asking_again_after_it_was_paid_opens_no_second_one(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    assert (await counterpart.gateway.open(an_order())).ref == payment.ref


async def test_one_payment_cannot_be_asked_for_with_two_amounts(counterpart: Counterpart) -> None:
    await counterpart.gateway.open(an_order())
    with pytest.raises((Declined, GatewaySilent)):
        await counterpart.gateway.open(an_order(amount=Money(9_999, "EUR")))


async def test_another_attempt_is_another_payment(counterpart: Counterpart) -> None:
    first = await counterpart.gateway.open(an_order())
    second = await counterpart.gateway.open(an_order(attempt=2))
    assert second.ref != first.ref
    assert (second.payment_id, second.attempt) == (first.payment_id, 2)


@pytest.mark.parametrize("amount", [Money(500, "ISK"), Money(500, "JPY"), Money(12_340, "KWD"), Money(50_000, "HUF")])
async def test_amounts_are_the_same_there_and_back(counterpart: Counterpart, amount: Money) -> None:
    payment = await paid(counterpart, amount=amount)
    found = await counterpart.gateway.find(payment.ref)
    assert (found.amount, found.captured) == (amount, amount)


async def test_a_good_card_captures_the_whole_amount(counterpart: Counterpart) -> None:
    found = await counterpart.gateway.find((await paid(counterpart)).ref)
    assert (found.state, found.captured, found.failure) == (S.CAPTURED, PRICE, "")


async def test_a_declined_card_fails_the_attempt_and_says_why(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    await counterpart.pay(payment, "declined")
    found = await counterpart.gateway.find(payment.ref)
    assert (found.state, found.captured.amount_minor, found.failure) == (S.FAILED, 0, "card_declined")


async def test_a_card_may_ask_for_a_second_step(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    await counterpart.pay(payment, "3ds")
    assert (await counterpart.gateway.find(payment.ref)).state is S.REQUIRES_ACTION
    await counterpart.approve(payment, True)
    assert (await counterpart.gateway.find(payment.ref)).state is S.CAPTURED


async def test_a_refused_second_step_captures_nothing(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    await counterpart.pay(payment, "3ds")
    await counterpart.approve(payment, False)
    found = await counterpart.gateway.find(payment.ref)
    assert (found.state, found.captured.amount_minor) == (S.FAILED, 0)


async def test_a_cancelled_payment_can_no_longer_be_paid(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    assert (await counterpart.gateway.cancel(payment.ref)).state is S.CANCELLED
    assert (await counterpart.gateway.cancel(payment.ref)).state is S.CANCELLED
    with pytest.raises(Exception, match=r"cancelled|400"):
        await counterpart.pay(payment, "ok")
    assert (await counterpart.gateway.find(payment.ref)).captured.amount_minor == 0


@pytest.mark.parametrize("card", ["declined", "3ds"])
async def test_so_can_one_that_failed_or_waits_for_a_second_step(counterpart: Counterpart, card: str) -> None:
    payment = await counterpart.gateway.open(an_order())
    await counterpart.pay(payment, card)
    assert (await counterpart.gateway.cancel(payment.ref)).state is S.CANCELLED


async def test_money_that_is_there_already_is_the_answer_to_a_cancellation(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    answer = await counterpart.gateway.cancel(payment.ref)
    assert (answer.state, answer.captured) == (S.CAPTURED, PRICE)


def to_take(payment: GatewayPayment, minor: int) -> CaptureOrder:
    assert payment.payment_id
    return CaptureOrder(
        payment_id=payment.payment_id,
        payment_ref=payment.ref,
        attempt=payment.attempt,
        amount=Money(minor, payment.amount.currency),
    )


async def test_money_is_set_aside_where_it_is_to_be_taken_later(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, capture_later=True)
    found = await counterpart.gateway.find(payment.ref)
    assert (found.state, found.amount, found.captured) == (S.AUTHORISED, PRICE, Money.zero("EUR"))
    assert found.authorised_until
    assert found.authorised_until > NOW


@pytest.mark.parametrize("minor", [10_000, 6_000])
async def test_what_is_set_aside_is_taken_whole_or_in_part_and_once(counterpart: Counterpart, minor: int) -> None:
    payment = await paid(counterpart, capture_later=True)
    taken = await counterpart.gateway.capture(to_take(payment, minor))
    assert (taken.state, taken.amount, taken.captured) == (S.CAPTURED, PRICE, Money(minor, "EUR"))
    assert (await counterpart.gateway.capture(to_take(payment, minor))).captured == Money(minor, "EUR")
    with pytest.raises(Declined):
        await counterpart.gateway.capture(to_take(payment, 1))
    assert (await counterpart.gateway.find(payment.ref)).captured == Money(minor, "EUR")


async def test_no_more_is_taken_than_is_set_aside(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, capture_later=True)
    with pytest.raises(Declined):
        await counterpart.gateway.capture(to_take(payment, 10_001))
    assert (await counterpart.gateway.find(payment.ref)).state is S.AUTHORISED


async def test_what_is_let_go_can_no_longer_be_taken(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, capture_later=True)
    assert (await counterpart.gateway.cancel(payment.ref)).state is S.CANCELLED
    with pytest.raises(Declined):
        await counterpart.gateway.capture(to_take(payment, 1_000))
    assert (await counterpart.gateway.find(payment.ref)).captured.amount_minor == 0


async def test_what_the_gateway_does_not_know_is_not_found(counterpart: Counterpart) -> None:
    for ask in (counterpart.gateway.find, counterpart.gateway.cancel, counterpart.gateway.find_refund):
        with pytest.raises(NotFound):
            await ask("pi_nothing")


async def test_a_refund_is_sent_once_however_often_it_is_asked_for(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    first = await counterpart.gateway.refund(a_refund(payment, 6_000))
    assert await counterpart.gateway.refund(a_refund(payment, 6_000)) == first
    assert (first.state, first.amount, first.payment_ref) == (R.SUCCEEDED, Money(6_000, "EUR"), payment.ref)
    assert first.refund_id == RefundId(UUID(int=901))
    assert await counterpart.gateway.find_refund(first.ref) == first
    # Had it been sent twice, no more than 4000 would not be left.
    assert (await counterpart.gateway.refund(a_refund(payment, 4_000, 2))).state is R.SUCCEEDED


async def test_refunds_of_the_same_amount_under_different_ids_are_two(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    refs = {(await counterpart.gateway.refund(a_refund(payment, 2_000, n))).ref for n in (1, 2)}
    assert len(refs) == 2


async def test_no_more_goes_back_than_came(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    await counterpart.gateway.refund(a_refund(payment, 6_000))
    with pytest.raises(Declined):
        await counterpart.gateway.refund(a_refund(payment, 4_001, 2))


async def test_what_was_not_paid_is_not_refunded(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    with pytest.raises(Declined):
        await counterpart.gateway.refund(a_refund(payment, 1))


async def test_a_capture_is_told_in_a_message_only_the_gateway_can_have_signed(counterpart: Counterpart) -> None:
    payment = await paid(counterpart)
    raw, headers = await counterpart.message_about(payment.ref)
    notice = counterpart.verifier([OTHER_SECRET, SECRET]).verify(raw, headers)
    assert notice.payment_ref == payment.ref
    assert notice.kind in ("payment.captured", "payment_intent.succeeded")
    assert notice.external_id
    with pytest.raises(BadSignature):
        counterpart.verifier([OTHER_SECRET]).verify(raw, headers)
    with pytest.raises(BadSignature):
        counterpart.verifier([SECRET]).verify(raw.replace(payment.ref.encode(), b"pi_forged"), headers)
    with pytest.raises(BadSignature):
        counterpart.verifier([SECRET]).verify(raw, {})


async def test_a_failure_is_told_too(counterpart: Counterpart) -> None:
    payment = await counterpart.gateway.open(an_order())
    await counterpart.pay(payment, "declined")
    raw, headers = await counterpart.message_about(payment.ref)
    notice = counterpart.verifier([SECRET]).verify(raw, headers)
    assert (notice.payment_ref, notice.kind.endswith("failed")) == (payment.ref, True)
