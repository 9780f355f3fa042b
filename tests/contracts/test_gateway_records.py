"""What a gateway's own records promise: the simulated one's journal, and Stripe's lists on Stripe's counterpart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest

from adapters.simulated_gateway import Books, Deliveries, SimulatedGateway, SimulatedRecords
from adapters.stripe import StripeGateway, StripeRecords
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.payments import PaymentGateway
from application.ports.reconciling import GatewayRecords, Sheet
from domain.payments import GatewayPayment, SourceKind
from domain.shared.ids import PaymentId
from domain.shared.money import Money
from domain.shared.time import Span
from tests.contracts.test_gateway import NOW, PRICE, STRIPE_CARDS, a_refund, an_order
from tests.support.localstripe_server import API_KEY, LocalStripe, local_stripe, localstripe

__all__ = ["localstripe"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

T = TypeVar("T")
Ask = Callable[[Span, str | None], Awaitable[Sheet[T]]]


@dataclass(slots=True, kw_only=True)
class Counterpart:
    """A gateway and its records, two to a sheet; `span` is the time in which everything here happens."""

    gateway: PaymentGateway
    records: GatewayRecords
    pay: Callable[[GatewayPayment, str], Awaitable[object]]
    listened_to: Callable[[], Awaitable[object]]
    span: Span


@asynccontextmanager
async def simulated() -> AsyncIterator[Counterpart]:
    clock, books = StandingClock(NOW), Books(":memory:")
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(204))) as client:
        deliveries = Deliveries(books, client=client, url="http://here/", secret="s", clock=clock)
        gateway = SimulatedGateway(
            books, deliveries, clock=clock, ids=SeededIds(clock, seed="records"), secret="a secret"
        )
        yield Counterpart(
            gateway=gateway,
            records=SimulatedRecords(books, page=2),
            pay=lambda payment, card: gateway.confirm(payment.ref, payment.client_secret or "", card),
            listened_to=deliveries.deliver_due,
            span=Span(NOW, NOW + timedelta(seconds=1)),
        )
    books.close()


@asynccontextmanager
async def stripe(local: LocalStripe) -> AsyncIterator[Counterpart]:
    gateway = StripeGateway(api_key=API_KEY, api_base=local.api_base)
    now = datetime.now(UTC)

    async def listened_to() -> None:
        local.heard = True

    yield Counterpart(
        gateway=gateway,
        records=StripeRecords(gateway, page=2),
        pay=lambda payment, card: local.pay(payment.ref, STRIPE_CARDS[card]),
        listened_to=listened_to,
        span=Span(now - timedelta(minutes=1), now + timedelta(minutes=5)),
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


async def whole(ask: Ask[T], span: Span) -> list[list[T]]:
    """All sheets."""
    sheets, after = [], None
    while True:
        sheet = await ask(span, after)
        sheets.append(list(sheet.items))
        if (after := sheet.next) is None:
            return sheets


async def paid(counterpart: Counterpart, number: int) -> GatewayPayment:
    payment = await counterpart.gateway.open(an_order(number))
    await counterpart.pay(payment, "ok")
    return await counterpart.gateway.find(payment.ref)


async def test_payments_come_as_they_stand_the_newest_first_and_each_once(counterpart: Counterpart) -> None:
    opened = [await counterpart.gateway.open(an_order(number)) for number in (1, 2)]
    captured = [await paid(counterpart, number) for number in (3, 4, 5)]
    sheets = await whole(counterpart.records.payments, counterpart.span)
    assert [len(sheet) for sheet in sheets] == [2, 2, 1]
    found = [payment for sheet in sheets for payment in sheet]
    assert [payment.ref for payment in found] == [payment.ref for payment in reversed([*opened, *captured])]
    assert [payment.captured.amount_minor for payment in found] == [10_000] * 3 + [0] * 2
    assert found[0].payment_id == PaymentId(UUID(int=5))


async def test_refunds_come_with_their_payment_and_our_id(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, 1)
    made = [await counterpart.gateway.refund(a_refund(payment, minor, n)) for n, minor in enumerate((100, 200, 300))]
    found = [refund for sheet in await whole(counterpart.records.refunds, counterpart.span) for refund in sheet]
    assert sorted(found, key=lambda refund: refund.amount.amount_minor) == made
    assert {refund.payment_ref for refund in found} == {payment.ref}


async def test_money_that_moved_is_named_by_its_payment_and_its_refunds(counterpart: Counterpart) -> None:
    payment, other = await paid(counterpart, 1), await paid(counterpart, 2)
    refund = await counterpart.gateway.refund(a_refund(payment, 2_500))
    await counterpart.gateway.open(an_order(3))
    found = [moved for sheet in await whole(counterpart.records.movements, counterpart.span) for moved in sheet]
    assert {(moved.kind, moved.ref, moved.payment_ref, moved.amount) for moved in found} == {
        (SourceKind.CAPTURE, payment.ref, payment.ref, PRICE),
        (SourceKind.CAPTURE, other.ref, other.ref, PRICE),
        (SourceKind.REFUND, refund.ref, payment.ref, Money(2_500, "EUR")),
    }
    assert len(found) == 3


async def test_what_was_not_delivered_comes_as_it_would_have_come(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, 1)
    told = [one for sheet in await whole(counterpart.records.unheard, counterpart.span) for one in sheet]
    (about,) = [one for one in told if one.notice.payment_ref == payment.ref]
    assert about.notice.kind in ("payment.captured", "payment_intent.succeeded")
    assert about.notice.external_id in about.payload
    await counterpart.listened_to()
    assert await whole(counterpart.records.unheard, counterpart.span) == [[]]


async def test_another_time_has_nothing_of_it(counterpart: Counterpart) -> None:
    payment = await paid(counterpart, 1)
    await counterpart.gateway.refund(a_refund(payment, 100))
    day = timedelta(days=1)
    before = Span(counterpart.span.starts_at - day, counterpart.span.starts_at)
    records = counterpart.records
    asks: list[Ask[Any]] = [records.payments, records.refunds, records.movements, records.unheard]
    for ask in asks:
        assert await whole(ask, before) == [[]]


async def test_it_goes_by_the_name_of_its_gateway(counterpart: Counterpart) -> None:
    assert counterpart.records.name == counterpart.gateway.name
