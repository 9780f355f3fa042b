"""What every gateway promises about payees: the simulated one, and Stripe's adapter against a stand-in for Connect,
which no counterpart has."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.simulated_gateway import Books, SimulatedGateway, SimulatedPayees, SimulatedRecords
from adapters.stripe import StripeGateway, StripePayees, StripeRecords
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.payees import PayeeOrder
from application.ports.payments import Declined, OpenOrder, RefundOrder
from application.ports.reconciling import GatewayRecords
from domain.payments import FeeBack, GatewayPayment, PayoutState, Share, SourceKind
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, OrganizationId, PayeeId, PaymentId, RefundId
from domain.shared.money import Money
from domain.shared.time import Span
from tests.application.till import Quiet
from tests.support.connect_server import connected
from tests.support.house import MONDAY
from tests.support.localstripe_server import API_KEY

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

PRICE, FEE = Money(10_000, "EUR"), Money(1_000, "EUR")
ORDER = PayeeOrder(
    payee_id=PayeeId(UUID(int=7)),
    organization_id=OrganizationId(UUID(int=8)),
    name="Vera's lessons",
    email="vera@example.org",
    since=MONDAY,
)
K = SourceKind
TODAY = Span(MONDAY - timedelta(hours=12), MONDAY + timedelta(hours=12))
YESTERDAY = Span(MONDAY - timedelta(hours=36), TODAY.starts_at)


@dataclass(slots=True, kw_only=True)
class Market:
    """A gateway under test, and the hands of those on its other side."""

    gateway: Any
    payees: Any
    records: GatewayRecords
    """Two to a sheet."""
    answer: Callable[[str], Awaitable[object]]
    restrict: Callable[[str], Awaitable[object]]
    pay: Callable[[GatewayPayment], Awaitable[object]]
    pay_out: Callable[[str], Awaitable[str]]

    async def open(self, ref: str, *, fee: Money = FEE, number: int = 1) -> GatewayPayment:
        """A payment that goes to that account."""
        order = OpenOrder(
            payment_id=PaymentId(UUID(int=number)),
            booking_id=BookingId(UUID(int=2)),
            attempt=1,
            amount=PRICE,
            share=Share(payee_ref=ref, fee=fee, back=FeeBack.IN_PROPORTION),
        )
        opened: GatewayPayment = await self.gateway.open(order)
        return opened

    async def paid(self, *, fee: Money = FEE, number: int = 1) -> GatewayPayment:
        """The same, paid; the account is open."""
        ref = await self.payees.enrol(ORDER)
        await self.answer(ref)
        payment = await self.open(ref, fee=fee, number=number)
        await self.pay(payment)
        found: GatewayPayment = await self.gateway.find(payment.ref)
        return found

    async def refund(self, payment: GatewayPayment, minor: int, *, fee_back: bool, number: int = 3) -> None:
        order = RefundOrder(
            refund_id=RefundId(UUID(int=number)),
            payment_ref=payment.ref,
            amount=Money(minor, "EUR"),
            shared=True,
            fee_back=fee_back,
        )
        await self.gateway.refund(order)

    async def moved(self, payment: GatewayPayment) -> dict[SourceKind, list[int]]:
        """What moved, by kind; the objects are told apart by their references."""
        share = await self.payees.share(payment.ref)
        assert len({(each.kind, each.ref) for each in share.moved}) == len(share.moved)
        found: dict[SourceKind, list[int]] = {}
        for each in share.moved:
            found.setdefault(each.kind, []).append(each.amount.amount_minor)
        return {kind: sorted(amounts) for kind, amounts in found.items()}


@pytest.fixture(params=["simulated", "stripe"])
async def market(request: pytest.FixtureRequest) -> AsyncIterator[Market]:
    if request.param == "simulated":
        clock, books = StandingClock(MONDAY), Books(":memory:")
        ids = SeededIds(clock, seed="payees")
        gateway = SimulatedGateway(books, Quiet(), clock=clock, ids=ids, secret="a secret")
        payees = SimulatedPayees(books, Quiet(), clock=clock, ids=ids, url="http://here")

        async def pay_out(ref: str) -> str:
            payout = await payees.pay_out(ref)
            assert payout is not None
            return payout.ref

        yield Market(
            gateway=gateway,
            payees=payees,
            records=SimulatedRecords(books, page=2),
            answer=payees.answer,
            restrict=lambda ref: payees.restrict(ref, "proof_of_address"),
            pay=lambda payment: gateway.confirm(payment.ref, payment.client_secret or "", "ok"),
            pay_out=pay_out,
        )
        books.close()
        return
    async with connected() as server:
        stripe = StripeGateway(api_key=API_KEY, api_base=server.api_base)

        async def by_hand(do: Callable[[], Any]) -> Any:
            return do()

        yield Market(
            gateway=stripe,
            payees=StripePayees(stripe),
            records=StripeRecords(stripe, page=2),
            answer=lambda ref: by_hand(lambda: server.answer_questions(ref)),
            restrict=lambda ref: by_hand(lambda: server.restrict(ref, "proof_of_address")),
            pay=lambda payment: by_hand(lambda: server.pay(payment.ref)),
            pay_out=lambda ref: by_hand(lambda: server.pay_out(ref, 9_000)),
        )
        await stripe.aclose()


async def test_an_account_asked_for_twice_is_one(market: Market) -> None:
    refs = {await market.payees.enrol(ORDER) for _ in range(3)}
    assert len(refs) == 1
    assert await market.payees.enrol(replace(ORDER, payee_id=PayeeId(UUID(int=70)))) not in refs


async def test_an_account_is_found_as_it_stands(market: Market) -> None:
    ref = await market.payees.enrol(ORDER)
    new = await market.payees.find(ref)
    assert (new.ref, new.takes_charges, new.pays_out, new.submitted, new.rejected) == (ref, False, False, False, False)
    assert new.wanted
    await market.answer(ref)
    open = await market.payees.find(ref)
    assert (open.takes_charges, open.pays_out, open.submitted, open.wanted) == (True, True, True, ())
    await market.restrict(ref)
    shut = await market.payees.find(ref)
    assert (shut.takes_charges, shut.pays_out, shut.rejected, shut.wanted) == (
        False,
        False,
        False,
        ("proof_of_address",),
    )


async def test_an_account_gets_a_link(market: Market) -> None:
    ref = await market.payees.enrol(ORDER)
    url = await market.payees.link(ref, return_url="http://here/", refresh_url="http://here/")
    assert url.startswith("http")


async def test_a_payment_to_an_account_that_takes_none_is_refused_for_good(market: Market) -> None:
    ref = await market.payees.enrol(ORDER)
    with pytest.raises(Declined):
        await market.open(ref)


async def test_a_payment_says_where_it_goes(market: Market) -> None:
    payment = await market.paid()
    assert payment.payee_ref == await market.payees.enrol(ORDER)
    assert payment.fee == FEE


async def test_a_paid_payment_went_to_its_account_and_the_fee_came_back(market: Market) -> None:
    payment = await market.paid()
    assert await market.moved(payment) == {K.TRANSFER: [10_000], K.FEE: [1_000]}


async def test_what_moved_leads_back_to_its_payment(market: Market) -> None:
    payment = await market.paid()
    for each in (await market.payees.share(payment.ref)).moved:
        assert await market.payees.behind(each.kind, each.ref) == payment.ref
    for kind in (K.TRANSFER, K.FEE):
        with pytest.raises(NotFound):
            await market.payees.behind(kind, "none")


async def test_without_a_fee_none_moves(market: Market) -> None:
    payment = await market.paid(fee=Money(0, "EUR"))
    assert await market.moved(payment) == {K.TRANSFER: [10_000]}


async def test_a_payment_that_is_not_shared_moved_nothing(market: Market) -> None:
    order = OpenOrder(payment_id=PaymentId(UUID(int=5)), booking_id=BookingId(UUID(int=2)), attempt=1, amount=PRICE)
    payment = await market.gateway.open(order)
    await market.pay(payment)
    assert (await market.gateway.find(payment.ref)).payee_ref is None
    assert await market.moved(payment) == {}


async def test_what_goes_back_is_taken_from_the_account_with_its_part_of_the_fee(market: Market) -> None:
    payment = await market.paid()
    await market.refund(payment, 2_500, fee_back=True)
    assert await market.moved(payment) == {
        K.TRANSFER: [10_000],
        K.FEE: [1_000],
        K.TRANSFER_REVERSED: [2_500],
        K.FEE_RETURNED: [250],
    }
    await market.refund(payment, 7_500, fee_back=True, number=4)
    moved = await market.moved(payment)
    assert (moved[K.TRANSFER_REVERSED], moved[K.FEE_RETURNED]) == ([2_500, 7_500], [250, 750])


async def test_a_refund_asked_for_twice_is_taken_back_once(market: Market) -> None:
    payment = await market.paid()
    for _ in range(3):
        await market.refund(payment, 2_500, fee_back=True)
    assert (await market.moved(payment))[K.TRANSFER_REVERSED] == [2_500]


async def test_whatever_came_back_in_many_parts_is_all_there(market: Market) -> None:
    payment = await market.paid()
    for number in range(5):
        await market.refund(payment, 1_000, fee_back=True, number=10 + number)
    moved = await market.moved(payment)
    assert (moved[K.TRANSFER_REVERSED], moved[K.FEE_RETURNED]) == ([1_000] * 5, [100] * 5)


async def test_a_fee_may_be_kept(market: Market) -> None:
    payment = await market.paid()
    await market.refund(payment, 10_000, fee_back=False)
    assert await market.moved(payment) == {K.TRANSFER: [10_000], K.FEE: [1_000], K.TRANSFER_REVERSED: [10_000]}


async def test_a_payout_is_found_at_its_account_alone(market: Market) -> None:
    payment = await market.paid()
    assert payment.payee_ref
    ref = await market.pay_out(payment.payee_ref)
    payout = await market.payees.payout(payment.payee_ref, ref)
    assert (payout.ref, payout.state, payout.amount) == (ref, PayoutState.IN_TRANSIT, Money(9_000, "EUR"))
    assert payout.arrives_at is not None
    other = await market.payees.enrol(replace(ORDER, payee_id=PayeeId(UUID(int=71))))
    with pytest.raises(NotFound):
        await market.payees.payout(other, ref)


async def test_payouts_are_listed_at_their_account_alone_the_newest_first_and_each_once(market: Market) -> None:
    ref, sent = await market.payees.enrol(ORDER), []
    for number in range(3):
        await market.paid(number=10 + number)
        sent.append(await market.pay_out(ref))
    first = await market.records.payouts(ref, TODAY, None)
    last = await market.records.payouts(ref, TODAY, first.next)
    assert [payout.ref for payout in [*first.items, *last.items]] == sent[::-1]
    assert (len(first.items), last.next) == (2, None)
    assert list(last.items) == [await market.payees.payout(ref, sent[0])]
    other = await market.payees.enrol(replace(ORDER, payee_id=PayeeId(UUID(int=71))))
    assert not (await market.records.payouts(other, TODAY, None)).items
    assert not (await market.records.payouts(ref, YESTERDAY, None)).items
    assert not (await market.records.payouts("acct_none", TODAY, None)).items


async def test_what_the_gateway_does_not_know_is_not_found(market: Market) -> None:
    for asking in (
        market.payees.find("acct_none"),
        market.payees.link("acct_none", return_url="http://here/", refresh_url="http://here/"),
        market.payees.payout("acct_none", "po_none"),
    ):
        with pytest.raises(NotFound):
            await asking
