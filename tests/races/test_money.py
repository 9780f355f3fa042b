"""Money that moves from two sides at once moves once, and never more of it than there is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from application.bookings import CancelBooking, Cancellation, ExpireHold, SettleBooking
from application.jobs import ArchiveJob
from application.payments import RefreshPayment, RefundPayment, Repayment, StartPayment
from domain.bookings import Booking, BookingState, HoldDue
from domain.jobs import Job
from domain.payments import PaymentCaptured, RefundTooLarge
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import StaleVersion
from domain.shared.ids import PaymentId
from domain.shared.money import Money
from tests.races.planted import without_versions
from tests.races.town import Town, kinds

PRICE = Money(10_000, "EUR")
LEFT = """
    select captured_minor - refunding_minor - refunded_minor as left,
      refunding_minor + refunded_minor as promised,
      (select coalesce(sum(amount_minor), 0) from refunds r where r.payment_id = p.id and r.state <> 'failed') as asked
    from payments p
"""


async def sold(town: Town) -> tuple[Actor, Actor, Job]:
    """A provider, a customer and what the one sells to the other."""
    vera = await town.provider()
    job = await town.job(vera, price=PRICE)
    (ann,) = await town.crowd(1)
    return vera, ann, job


def payment_of(booking: Booking) -> PaymentId:
    """The id of its payment."""
    assert booking.payment_id
    return booking.payment_id


async def paid(town: Town) -> tuple[Actor, Actor, Booking]:
    """A booking that is paid and confirmed."""
    vera, ann, job = await sold(town)
    booking = await town.book(ann, job)
    await town.paid(booking, ann)
    await town.ask(RefreshPayment, ann, payment_of(booking))
    await town.worker().all()
    assert await town.value("select state from bookings") == "confirmed"
    return vera, ann, booking


async def must_add_up(town: Town) -> None:
    """What is promised back is what was asked for, never more than came in (M3); the books balance (M1), and say what
    the gateway says (M5)."""
    for row in await town.sql(LEFT):
        assert row["left"] >= 0
        assert row["promised"] == row["asked"], "money is promised back that no payment knows of"
    assert not await town.sql("select 1 from ledger group by transaction_id having sum(amount_minor) <> 0")
    assert not await town.sql("select 1 from ledger group by source_kind, source_id, account having count(*) > 1")
    ours = await town.value("select coalesce(sum(amount_minor), 0) from ledger where account like 'gateway:%'")
    assert ours == await at_the_gateway(town)


async def at_the_gateway(town: Town) -> int:
    """What the gateway holds of ours."""

    def held(books: Any) -> int:
        return int(books.execute("select coalesce(sum(captured - refunded), 0) from payments").fetchone()[0])

    return await town.books.do(held)


async def one_of_two_full_refunds_is_made(town: Town) -> None:
    vera, _, booking = await paid(town)
    calls = [town.ask(RefundPayment, vera, payment_of(booking), Repayment(amount_minor=10_000)) for _ in range(2)]
    made, refused = await town.at_once(*calls)
    await must_add_up(town)
    assert (len(made), kinds(refused)) == (1, {RefundTooLarge})
    await town.worker().all()
    await must_add_up(town)
    assert await at_the_gateway(town) == 0


async def test_of_two_full_refunds_at_once_one_is_made(town: Town) -> None:
    await one_of_two_full_refunds_is_made(town)


async def test_without_versions_both_are_made(town: Town) -> None:
    with pytest.raises(AssertionError, match="promised back"):
        await one_of_two_full_refunds_is_made(town.planted(without_versions))


async def test_partial_refunds_at_once_never_exceed_what_was_captured(town: Town) -> None:
    """Seven thirds at once: three fit. Who is refused is told so, or to try again; trying again finds the truth."""
    vera, _, booking = await paid(town)
    third = Repayment(amount_minor=3_000)
    made, refused = await town.at_once(*(town.ask(RefundPayment, vera, payment_of(booking), third) for _ in range(7)))
    await must_add_up(town)
    assert kinds(refused) <= {RefundTooLarge, StaleVersion}
    assert 1 <= len(made) <= 3
    for _ in range(3 - len(made)):
        await town.ask(RefundPayment, vera, payment_of(booking), third)
    with pytest.raises(RefundTooLarge):
        await town.ask(RefundPayment, vera, payment_of(booking), third)
    await town.worker().all()
    await must_add_up(town)
    assert await at_the_gateway(town) == 1_000


async def test_a_refund_and_a_cancellation_at_once_give_back_what_there_is_once(town: Town) -> None:
    vera, ann, booking = await paid(town)
    await town.at_once(
        town.ask(RefundPayment, vera, payment_of(booking), Repayment(amount_minor=8_000)),
        town.ask(CancelBooking, ann, booking.id, Cancellation()),
    )
    workers = [town.worker() for _ in range(2)]
    await asyncio.gather(*(worker.all() for worker in workers))
    await must_add_up(town)
    assert await at_the_gateway(town) == 0


async def test_news_of_one_capture_from_many_sides_moves_the_money_once(town: Town) -> None:
    _, ann, job = await sold(town)
    booking = await town.book(ann, job)
    await town.paid(booking, ann)
    told, refused = await town.at_once(*(town.ask(RefreshPayment, ann, payment_of(booking)) for _ in range(8)))
    assert told
    assert kinds(refused) <= {StaleVersion}
    assert await town.value("select count(*) from ledger") == 2
    assert await town.value("select count(*) from outbox where name = 'payment.captured'") == 1
    await must_add_up(town)


async def test_a_payment_started_twice_at_once_is_open_once(town: Town) -> None:
    _, ann, job = await sold(town)
    booking = await town.book(ann, job)
    await town.at_once(*(town.ask(StartPayment, ann, payment_of(booking)) for _ in range(4)))
    await asyncio.gather(*(worker.all() for worker in [town.worker() for _ in range(3)]))
    assert await town.books.do(lambda books: books.execute("select count(*) from payments").fetchone()[0]) == 1


@pytest.mark.parametrize("by", ["customer", "provider"])
async def test_a_cancellation_against_the_payment_that_arrives(town: Town, by: str) -> None:
    """Whoever is first: the booking is called off, and what came in goes back as was agreed (M6)."""
    vera, ann, job = await sold(town)
    booking = await town.book(ann, job)
    await town.paid(booking, ann)
    await town.use(RefreshPayment)(ann, payment_of(booking))
    captured = PaymentCaptured(payment_id=payment_of(booking), booking_id=booking.id, amount=PRICE)
    called_off, refused = await town.at_once(
        town.ask(CancelBooking, ann if by == "customer" else vera, booking.id, Cancellation()),
        town.ask(SettleBooking, SYSTEM, captured),
    )
    assert (len(called_off), refused) == (2, [])
    await town.worker().all()
    await must_add_up(town)
    assert await town.value("select state from bookings") == BookingState.CANCELLED
    assert await at_the_gateway(town) == 0, "two days ahead everything goes back"


async def test_the_late_payment_of_an_expired_hold_against_the_next_customer(town: Town) -> None:
    """One has the slot; if it is not who paid, the money goes back."""
    _, ann, job = await sold(town)
    bob, *others = await town.crowd(5)
    booking = await town.book(ann, job)
    await town.paid(booking, ann)
    town.clock.advance(timedelta(minutes=16))
    await town.use(RefreshPayment)(ann, payment_of(booking))
    captured = PaymentCaptured(payment_id=payment_of(booking), booking_id=booking.id, amount=PRICE)
    await town.at_once(
        town.ask(SettleBooking, SYSTEM, captured),
        *(town.book(one, job) for one in (bob, *others)),
    )
    await asyncio.gather(*(worker.all() for worker in [town.worker() for _ in range(2)]))
    await must_add_up(town)
    active = await town.sql("select id, state from bookings where active")
    assert len(active) == 1
    first = active[0]["id"] == booking.id
    assert await at_the_gateway(town) == (PRICE.amount_minor if first else 0)
    assert active[0]["state"] == ("confirmed" if first else "held")


async def test_the_late_payment_of_a_hold_whose_job_is_archived_meanwhile(town: Town) -> None:
    vera, ann, job = await sold(town)
    booking = await town.book(ann, job)
    await town.paid(booking, ann)
    town.clock.advance(timedelta(minutes=16))
    await town.ask(ExpireHold, SYSTEM, HoldDue(booking_id=booking.id))
    assert await town.value("select state from bookings") == "expired"
    await town.use(RefreshPayment)(ann, payment_of(booking))

    async def archive() -> None:
        await town.use(ArchiveJob)(vera, job.id)

    town.meanwhile = archive
    captured = PaymentCaptured(payment_id=payment_of(booking), booking_id=booking.id, amount=PRICE)
    await town.ask(SettleBooking, SYSTEM, captured)
    await town.worker().all()
    await must_add_up(town)
    assert await town.value("select state from bookings") == "expired"
    assert await at_the_gateway(town) == 0
