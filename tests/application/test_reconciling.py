"""Our books held against the gateway's: what was lost on the way is found, what nobody can know is left to a person."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.simulated_gateway import SimulatedRecords
from application.bookings import CancelBooking, Cancellation
from application.payments import (
    CloseDiscrepancy,
    Closing,
    FetchWebhooks,
    ListDiscrepancies,
    ListReconciliations,
    Reconcile,
    ReconcileDays,
    RefundPayment,
    Repayment,
)
from application.ports.payments import GatewayUnavailable, OpenOrder
from application.ports.reconciling import GatewayRecords, Movement, Sheet
from domain.payments import (
    AlreadyReconciling,
    DiscrepancyClosed,
    DiscrepancyKind,
    GatewayPayment,
    Outcome,
    PaymentState,
    Reconciliation,
    Stage,
)
from domain.shared.actors import ANONYMOUS, SYSTEM
from domain.shared.errors import Forbidden, Invalid, NotFound, Unauthenticated
from domain.shared.ids import BookingId, DiscrepancyId, PaymentId
from domain.shared.money import Money
from domain.shared.time import Span
from tests.proof.stories.shop import ADMIN, PRICE, Shop
from tests.proof.stories.telling import must_be_sound, opened

K = DiscrepancyKind


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened() as made:
        yield made


async def reconciled(shop: Shop) -> Reconciliation:
    """The last two days, an instant from now."""
    shop.clock.advance(timedelta(seconds=1))
    now = shop.clock.now()
    run = await shop.use(Reconcile)(ADMIN, Span(now - timedelta(days=2), now))
    await shop.work()
    return run


async def found(shop: Shop) -> list[tuple[str, str]]:
    page = await shop.use(ListDiscrepancies)(ADMIN, limit=50)
    return sorted((item.kind.value, item.about) for item in page.items)


async def state_of(shop: Shop, booking: Any) -> tuple[str, int, int]:
    row = await shop.payment(booking)
    return row["state"], row["captured_minor"], row["refunded_minor"]


@dataclass(slots=True)
class Records(GatewayRecords):
    """The gateway's records, of which some sheet cannot be had once, or lacks or has what it should not."""

    good: SimulatedRecords
    down: list[str] = field(default_factory=list)
    strange: list[Movement] = field(default_factory=list)
    without: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.good.name

    async def unheard(self, span: Span, after: str | None) -> Any:
        return await self._of("unheard", span, after)

    async def payments(self, span: Span, after: str | None) -> Any:
        return await self._of("payments", span, after)

    async def refunds(self, span: Span, after: str | None) -> Any:
        return await self._of("refunds", span, after)

    async def movements(self, span: Span, after: str | None) -> Any:
        sheet = await self._of("movements", span, after)
        return Sheet([*sheet.items, *self.strange], sheet.next, sheet.reached)

    async def payouts(self, payee_ref: str, span: Span, after: str | None) -> Any:
        self._may_be_down("payouts")
        return await self.good.payouts(payee_ref, span, after)

    def _may_be_down(self, what: str) -> None:
        if what in self.down:
            self.down.remove(what)
            raise GatewayUnavailable("the gateway is down")

    async def _of(self, what: str, span: Span, after: str | None) -> Sheet[Any]:
        self._may_be_down(what)
        sheet: Sheet[Any] = await getattr(self.good, what)(span, after)
        return Sheet([], None, None) if what in self.without else sheet


def records(shop: Shop, *, page: int = 100) -> Records:
    made = Records(SimulatedRecords(shop.books, page=page))
    shop.ports["gateway_records"] = made
    return made


async def test_nothing_is_found_where_everything_was_heard(shop: Shop) -> None:
    booking = await shop.paid()
    for told in await shop.untold():
        await shop.hear(told, as_it_stood=False)
    run = await reconciled(shop)
    assert (run.stage, run.repaired, run.filed, run.fetched) == (Stage.DONE, 0, 0, 0)
    assert run.looked_at >= 4
    assert (await state_of(shop, booking))[0] == "captured"


async def test_a_payment_nobody_told_us_of_is_found_and_the_booking_confirmed(shop: Shop) -> None:
    booking = await shop.book()
    await shop.show(booking, "ok")
    records(shop).without = {"unheard"}
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert await state_of(shop, booking) == ("captured", 10_000, 0)
    assert [row["state"] for row in await shop.all("bookings")] == ["confirmed"]
    assert [(row["kind"], row["outcome"]) for row in await shop.all("webhooks")] == [("reconcile.payment", "settled")]
    again = await reconciled(shop)
    assert (again.repaired, again.filed) == (0, 0)
    await must_be_sound(shop)


async def test_messages_that_were_lost_are_fetched_and_a_late_one_changes_nothing(shop: Shop) -> None:
    booking = await shop.book()
    await shop.show(booking, "ok")
    fetched = await shop.use(FetchWebhooks)(ADMIN)
    await shop.work()
    assert (fetched.looked_at, fetched.fetched) == (1, 1)
    assert await state_of(shop, booking) == ("captured", 10_000, 0)
    for told in await shop.untold():
        await shop.hear(told, as_it_stood=False)
    assert (await shop.use(FetchWebhooks)(ADMIN)).fetched == 0
    assert len(await shop.all("webhooks")) == 1
    assert len(await shop.all("ledger")) == 2


async def test_a_refund_made_at_the_gateway_is_taken_into_the_books(shop: Shop) -> None:
    booking = await shop.paid()
    await shop.refund_by_hand(booking, 4_000)
    records(shop).without = {"unheard"}
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert await state_of(shop, booking) == ("captured", 10_000, 4_000)
    await must_be_sound(shop)


async def test_a_refund_that_the_bank_returned_is_taken_back(shop: Shop) -> None:
    booking = await shop.paid()
    await shop.use(RefundPayment)(ADMIN, shop.id_of(booking), Repayment(amount_minor=2_500))
    await shop.work()
    await shop.bank_returns(booking)
    records(shop).without = {"unheard"}
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (1, 0)
    assert await state_of(shop, booking) == ("captured", 10_000, 0)
    assert [row["state"] for row in await shop.all("refunds")] == ["failed"]
    await must_be_sound(shop)


async def test_money_that_moved_today_on_an_old_payment_is_found_by_its_movement(shop: Shop) -> None:
    booking = await shop.book()
    shop.clock.advance(timedelta(minutes=5))
    await shop.show(booking, "ok")
    records(shop).without = {"unheard"}
    now = shop.clock.now() + timedelta(seconds=1)
    shop.clock.set(now)
    run = await shop.use(Reconcile)(ADMIN, Span(now - timedelta(minutes=1), now))
    assert (run.repaired, run.filed) == (1, 0)
    assert await state_of(shop, booking) == ("captured", 10_000, 0)


async def test_a_charge_that_is_nobodys_is_left_to_a_person_and_filed_once(shop: Shop) -> None:
    stray = await shop.till.open(
        OpenOrder(payment_id=PaymentId(UUID(int=9)), booking_id=BookingId(UUID(int=8)), attempt=1, amount=PRICE)
    )
    await shop.till.confirm(stray.ref, stray.client_secret or "", "ok")
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (0, 1)
    assert await found(shop) == [("stranger", "payment")]
    assert (await reconciled(shop)).filed == 0
    (item,) = (await shop.use(ListDiscrepancies)(ADMIN, limit=5)).items
    closing = Closing(reason="a test of ours")
    closed = await shop.use(CloseDiscrepancy)(ADMIN, item.id, closing)
    assert (closed.closed_by, closed.reason) == ("operator:stories", "a test of ours")
    with pytest.raises(DiscrepancyClosed):
        await shop.use(CloseDiscrepancy)(ADMIN, item.id, closing)
    assert await found(shop) == []
    assert len((await shop.use(ListDiscrepancies)(ADMIN, closed=True, limit=5)).items) == 1
    assert (await reconciled(shop)).filed == 0


async def test_a_payment_that_nobody_paid_at_the_gateway_is_nothing_to_look_at(shop: Shop) -> None:
    await shop.till.open(
        OpenOrder(payment_id=PaymentId(UUID(int=9)), booking_id=BookingId(UUID(int=8)), attempt=1, amount=PRICE)
    )
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (0, 0)


async def test_a_payment_that_the_gateway_does_not_know_is_left_to_a_person(shop: Shop) -> None:
    booking = await shop.paid()
    ref = (await shop.payment(booking))["gateway_ref"]
    await shop.books.do(lambda books: books.execute("delete from journal"))
    await shop.books.do(lambda books: books.execute("delete from payments where ref = ?", (ref,)))
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (0, 1)
    assert await found(shop) == [("missing", "payment")]


async def test_a_gateway_that_says_less_than_we_do_is_left_to_a_person(shop: Shop) -> None:
    booking = await shop.paid()
    ref = (await shop.payment(booking))["gateway_ref"]
    await shop.books.do(
        lambda books: books.execute("update payments set state = 'open', captured = 0 where ref = ?", (ref,))
    )
    run = await reconciled(shop)
    assert (run.repaired, run.filed) == (0, 1)
    assert await found(shop) == [("disagrees", "payment")]


async def test_a_ledger_that_lost_an_entry_is_noticed_from_both_sides(shop: Shop) -> None:
    await shop.paid()
    for entry in list(shop.store.tables["ledger"].rows):
        shop.store.tables["ledger"].remove(entry)
    run = await reconciled(shop)
    assert run.filed == 2
    assert await found(shop) == [("unbooked", "ledger"), ("unbooked", "movement")]


async def test_a_payment_captured_twice_is_left_to_a_person(shop: Shop) -> None:
    booking = await shop.paid()
    payment = await shop.payment(booking)
    twin = await shop.till.open(
        OpenOrder(payment_id=shop.id_of(booking), booking_id=BookingId(booking.id), attempt=7, amount=PRICE)
    )
    await shop.till.confirm(twin.ref, twin.client_secret or "", "ok")
    run = await reconciled(shop)
    assert ("disagrees", "payment") in await found(shop)
    assert run.repaired == 0
    assert (await shop.payment(booking))["gateway_ref"] == payment["gateway_ref"]


async def test_it_goes_on_where_it_was_left_and_nothing_is_counted_twice(shop: Shop) -> None:
    bookings = [await shop.book(starts_at=shop.clock.now() + timedelta(days=3, hours=n + 4)) for n in range(5)]
    for booking in bookings:
        await shop.show(booking, "ok")
    flaky = records(shop, page=2)
    flaky.without, flaky.down = {"unheard"}, ["movements"]
    with pytest.raises(GatewayUnavailable):
        await reconciled(shop)
    (left,) = await shop.all("reconciliations")
    assert (left["stage"], left["repaired"]) == ("movements", 5)
    stretch = Span(left["since"], left["until"])
    run = await shop.use(Reconcile)(ADMIN, stretch)
    assert (run.id, run.stage, run.repaired, run.filed) == (left["id"], Stage.DONE, 5, 0)
    assert len(await shop.all("reconciliations")) == 1
    again = await shop.use(Reconcile)(ADMIN, stretch)
    assert (again.id != run.id, again.repaired, again.filed) == (True, 0, 0)
    assert [row["captured_minor"] for row in await shop.all("payments")] == [10_000] * 5


async def test_of_two_that_go_through_the_same_one_goes_on(shop: Shop) -> None:
    await shop.paid()
    now = shop.clock.now()
    stretch = Span(now - timedelta(days=1), now)

    async def the_other() -> None:
        await shop.use(Reconcile)(SYSTEM, stretch)

    reconcile = shop.use(Reconcile)
    seen: list[Stage] = []

    def told(run: Reconciliation, _: object) -> None:
        seen.append(run.stage)
        if len(seen) == 1:
            shop.meanwhile = the_other

    with pytest.raises(AlreadyReconciling):
        await reconcile(ADMIN, stretch, tell=told)
    assert [row["stage"] for row in await shop.all("reconciliations")] == ["done"]


async def test_each_day_is_reconciled_once_and_missed_ones_are_made_up_for(shop: Shop) -> None:
    days = shop.use(ReconcileDays)
    assert await days(SYSTEM) == 1
    assert await days(SYSTEM) == 0
    shop.clock.advance(timedelta(days=3))
    assert await days(SYSTEM) == 3
    assert await days(SYSTEM) == 0
    page = await shop.use(ListReconciliations)(ADMIN, limit=10)
    assert len({item.since for item in page.items}) == 4
    assert all(item.until - item.since == timedelta(days=1) for item in page.items)
    shop.clock.advance(timedelta(days=90))
    assert await days(SYSTEM) == 30


async def test_only_admins_reconcile_and_only_what_has_been(shop: Shop) -> None:
    with pytest.raises(Forbidden):
        await shop.use(Reconcile)(shop.carl)
    with pytest.raises(Unauthenticated):
        await shop.use(FetchWebhooks)(ANONYMOUS)
    with pytest.raises(Forbidden):
        await shop.use(ListDiscrepancies)(shop.vera, limit=1)
    with pytest.raises(NotFound):
        await shop.use(CloseDiscrepancy)(ADMIN, DiscrepancyId(UUID(int=1)), Closing(reason="gone"))
    now = shop.clock.now()
    with pytest.raises(Invalid):
        await shop.use(Reconcile)(ADMIN, Span(now, now + timedelta(days=1)))


async def test_a_cancelled_booking_whose_payment_was_lost_on_the_way_is_refunded(shop: Shop) -> None:
    booking = await shop.book()
    await shop.show(booking, "ok")
    await shop.use(CancelBooking)(shop.carl, BookingId(booking.id), Cancellation())
    records(shop).without = {"unheard"}
    await reconciled(shop)
    await shop.later(timedelta(minutes=1))
    assert await state_of(shop, booking) == ("captured", 10_000, 10_000)
    assert (await reconciled(shop)).filed == 0
    await must_be_sound(shop)


async def test_news_of_another_amount_is_left_to_a_person(shop: Shop) -> None:
    booking = await shop.book()
    ref = (await shop.payment(booking))["gateway_ref"]
    await shop.books.do(lambda books: books.execute("update payments set amount = 9000 where ref = ?", (ref,)))
    await reconciled(shop)
    assert await found(shop) == [("disagrees", "payment")]
    assert [row["outcome"] for row in await shop.all("webhooks")] == [Outcome.ATTENTION.value]
    theirs = await shop.till.find(ref)
    assert (theirs.state, theirs.amount) == (PaymentState.OPEN, Money(9_000, "EUR"))
    assert isinstance(theirs, GatewayPayment)


async def test_what_fits_again_needs_nobody_and_what_differs_again_does(shop: Shop) -> None:
    booking = await shop.paid()
    ref = (await shop.payment(booking))["gateway_ref"]

    async def the_gateway_says(state: str, captured: int) -> None:
        statement = "update payments set state = ?, captured = ? where ref = ?"
        await shop.books.do(lambda books: books.execute(statement, (state, captured, ref)))

    await the_gateway_says("open", 0)
    assert (await reconciled(shop)).filed == 1
    await the_gateway_says("captured", 10_000)
    assert (await reconciled(shop)).filed == 0
    assert await found(shop) == []
    (closed,) = (await shop.use(ListDiscrepancies)(ADMIN, closed=True, limit=5)).items
    assert closed.closed_by == "reconciliation"
    await the_gateway_says("open", 0)
    assert (await reconciled(shop)).filed == 1
    assert await found(shop) == [("disagrees", "payment")]
