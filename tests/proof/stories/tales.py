"""The payment stories: what customer, provider, gateway and clock do. What the gateway says about it comes later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from application.bookings import CancelBooking, Cancellation, MarkNoShow
from application.payments import (
    Capture,
    CapturePayment,
    EvidenceDraft,
    HeedWarning,
    PrepareEvidence,
    RefundPayment,
    ReleasePayment,
    Repayment,
    StartPayment,
    SubmitEvidence,
)
from domain.bookings import Booking
from domain.shared.actors import Actor
from tests.proof.stories.shop import ADMIN, Shop
from tests.support.moody_gateway import DOWN, LOST, PENDING, SILENT

QUARTER = timedelta(minutes=16)
"""A hold's time and a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a story ends for its booking, for its money in minor units, and for its dispute."""

    booking: str
    payment: str
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    dispute: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happens, and how it ends in whatever order we hear of it. `twins` are told under a second id as well;
    `passing` are news that may be overtaken by better ones, so that they are told at most once; `promptly` says that
    it ends the same when everything is told at once."""

    name: str
    play: Callable[[Shop], Awaitable[Booking]]
    ends: Ending
    twins: bool = True
    passing: frozenset[str] = frozenset()
    promptly: bool = True
    takes_time: bool = False
    """Whether time passes in it, so that other things under way end meanwhile."""
    only_told: bool = False
    """Whether it is told by messages alone: what banks do is on no list that our books are held against."""


STORIES: list[Story] = []
_FAILED = frozenset({"payment.failed"})


def story(
    ends: Ending,
    *,
    twins: bool = True,
    passing: frozenset[str] = frozenset(),
    promptly: bool = True,
    takes_time: bool = False,
    only_told: bool = False,
) -> Callable[[Callable[[Shop], Awaitable[Booking]]], Callable[[Shop], Awaitable[Booking]]]:
    """Tell this story; its name is its function's."""

    def told(play: Callable[[Shop], Awaitable[Booking]]) -> Callable[[Shop], Awaitable[Booking]]:
        name = play.__name__.replace("_", " ")
        how: dict[str, Any] = {"twins": twins, "passing": passing, "promptly": promptly}
        how |= {"takes_time": takes_time, "only_told": only_told}
        STORIES.append(Story(name=name, play=play, ends=ends, **how))
        return play

    return told


PAID = Ending(booking="confirmed", payment="captured", captured=10_000)


async def refunded(shop: Shop, booking: Booking, minor: int | None) -> None:
    """The provider gives back by hand."""
    await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=minor))
    await shop.work()
    await shop.happened()


async def cancelled(shop: Shop, booking: Booking, by: Actor) -> None:
    """It is called off."""
    await shop.use(CancelBooking)(by, booking.id, Cancellation())
    await shop.work()
    await shop.happened()


@story(PAID)
async def paid_at_once(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.opened(booking)
    await shop.show(booking, "ok")
    return booking


@story(PAID, passing=_FAILED)
async def declined_then_paid_with_another_card(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.opened(booking)
    await shop.show(booking, "declined")
    await shop.show(booking, "ok")
    return booking


@story(PAID, passing=_FAILED, twins=False)
async def declined_three_times_then_paid(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.opened(booking)
    for card in ("declined", "insufficient_funds", "declined", "ok"):
        await shop.show(booking, card)
    return booking


@story(PAID, passing=_FAILED)
async def declined_and_begun_anew(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "declined")
    await shop.returns(booking)
    await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
    await shop.work()
    await shop.show(booking, "ok")
    return booking


@story(Ending(booking="expired", payment="cancelled"), passing=_FAILED, takes_time=True)
async def declined_and_given_up(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "declined")
    await shop.later(QUARTER)
    return booking


@story(PAID)
async def a_second_step_before_the_money(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "3ds")
    await shop.approve(booking)
    return booking


@story(PAID, passing=_FAILED)
async def a_second_step_refused_then_another_card(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "3ds_fail")
    await shop.approve(booking)
    await shop.show(booking, "ok")
    return booking


@story(Ending(booking="expired", payment="cancelled"), takes_time=True)
async def a_second_step_abandoned(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "3ds")
    await shop.later(QUARTER)
    return booking


@story(Ending(booking="expired", payment="cancelled"), takes_time=True)
async def never_paid(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.opened(booking)
    await shop.later(QUARTER)
    return booking


@story(PAID, takes_time=True)
async def paid_and_heard_of_after_the_hold_expired(shop: Shop) -> Booking:
    """The gateway is away when the hold ends, so that it can be paid even then."""
    booking = await shop.book()
    await shop.opened(booking)
    shop.gateway.moods = [DOWN]
    shop.clock.advance(QUARTER)
    await shop.worker.all()
    await shop.show(booking, "ok")
    return booking


@story(Ending(booking="expired", payment="captured", captured=10_000, refunded=10_000), promptly=False, takes_time=True)
async def paid_late_and_the_slot_was_gone(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "ok")
    bob = await shop.person("bob")
    shop.gateway.moods = [DOWN] * 2
    shop.clock.advance(QUARTER)
    await shop.book(bob)
    return booking


@story(Ending(booking="expired", payment="captured", captured=10_000, refunded=10_000), promptly=False, takes_time=True)
async def paid_late_and_already_sent_back(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "ok")
    bob = await shop.person("bob")
    shop.clock.advance(QUARTER)
    await shop.book(bob)
    await shop.work()
    return booking


@story(Ending(booking="cancelled", payment="cancelled"))
async def cancelled_before_paying(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.opened(booking)
    await cancelled(shop, booking, shop.carl)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=10_000), promptly=False)
async def cancelled_while_paying(shop: Shop) -> Booking:
    """The money is there when we close the payment, though nobody has told us."""
    booking = await shop.book()
    await shop.show(booking, "ok")
    await cancelled(shop, booking, shop.carl)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=10_000), promptly=False)
async def cancelled_while_paying_and_the_gateway_away(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "ok")
    shop.gateway.moods = [DOWN] * 2
    await cancelled(shop, booking, shop.carl)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=5_000))
async def cancelled_late_and_half_given_back(shop: Shop) -> Booking:
    booking = await shop.paid()
    await cancelled(shop, booking, shop.carl)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=10_000))
async def cancelled_by_the_provider(shop: Shop) -> Booking:
    booking = await shop.paid()
    await cancelled(shop, booking, shop.vera)
    return booking


@story(Ending(booking="no_show", payment="captured", captured=10_000), takes_time=True)
async def the_customer_did_not_come(shop: Shop) -> Booking:
    booking = await shop.paid()
    shop.clock.set(shop.ten)
    await shop.use(MarkNoShow)(shop.vera, booking.id)
    await shop.work()
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=5_000))
async def given_back_twice_in_part(shop: Shop) -> Booking:
    booking = await shop.paid()
    await refunded(shop, booking, 3_000)
    await refunded(shop, booking, 2_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=9_000))
async def given_back_in_part_without_an_answer_and_again(shop: Shop) -> Booking:
    """Neither refund was answered; both have been made."""
    booking = await shop.paid()
    shop.gateway.moods = [SILENT, SILENT]
    await refunded(shop, booking, 4_000)
    await refunded(shop, booking, 5_000)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=10_000))
async def given_back_in_part_then_cancelled_by_the_provider(shop: Shop) -> Booking:
    booking = await shop.paid()
    await refunded(shop, booking, 3_000)
    await cancelled(shop, booking, shop.vera)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=4_000))
async def given_back_at_the_dashboard(shop: Shop) -> Booking:
    booking = await shop.paid()
    await shop.refund_by_hand(booking, 4_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=4_000))
async def given_back_at_the_dashboard_before_we_heard_of_the_money(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "ok")
    await shop.refund_by_hand(booking, 4_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=9_000))
async def given_back_by_us_and_at_the_dashboard(shop: Shop) -> Booking:
    booking = await shop.paid()
    await refunded(shop, booking, 5_000)
    await shop.refund_by_hand(booking, 4_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=6_000), promptly=False)
async def the_dashboard_was_faster_with_what_we_promised(shop: Shop) -> Booking:
    """We promise 8 of 10 while the gateway is away; 6 have left by hand; ours cannot be made any more."""
    booking = await shop.paid()
    shop.gateway.moods = [DOWN]
    await refunded(shop, booking, 8_000)
    await shop.refund_by_hand(booking, 6_000)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000))
async def the_refund_fails(shop: Shop) -> Booking:
    booking = await shop.paid("refund_fails")
    await cancelled(shop, booking, shop.vera)
    return booking


@story(
    Ending(booking="confirmed", payment="captured", captured=10_000),
    passing=frozenset({"refund.succeeded", "refund"}),
)
async def the_bank_returns_the_refund(shop: Shop) -> Booking:
    booking = await shop.paid()
    shop.gateway.moods = [PENDING]
    await refunded(shop, booking, 3_000)
    await shop.bank_returns(booking)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=3_000))
async def the_refund_takes_days(shop: Shop) -> Booking:
    booking = await shop.paid()
    shop.gateway.moods = [PENDING]
    await refunded(shop, booking, 3_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=3_000))
async def the_refund_was_lost_on_the_way(shop: Shop) -> Booking:
    """The gateway never got our request."""
    booking = await shop.paid()
    shop.gateway.moods = [LOST]
    await refunded(shop, booking, 3_000)
    return booking


@story(PAID)
async def the_opening_was_not_answered(shop: Shop) -> Booking:
    """The payment is open at the gateway, under a reference that we were not told."""
    shop.gateway.moods = [SILENT]
    booking = await shop.book()
    last = "select ref, client_secret from payments order by rowid desc"
    ref, secret = await shop.books.do(lambda books: tuple(books.execute(last).fetchone()))
    await shop.books.do(lambda books: shop.announce(books, "payment.open", payment=ref))
    await shop.happened()
    await shop.till.confirm(ref, secret, "ok")
    await shop.happened()
    return booking


KEPT = Ending(booking="confirmed", payment="captured", captured=10_000, dispute="won")
GONE = Ending(booking="confirmed", payment="captured", captured=10_000, disputed=10_000, dispute="lost")


async def taken(shop: Shop, booking: Booking, minor: int | None = None) -> None:
    """The provider takes what is set aside."""
    await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture(amount_minor=minor))
    await shop.work()
    await shop.happened()


async def answered(shop: Shop, said: str) -> None:
    """The provider answers the dispute they have heard of."""
    dispute = await shop.hears_of_dispute()
    await shop.use(PrepareEvidence)(shop.vera, dispute["id"], EvidenceDraft(explanation=said))
    await shop.use(SubmitEvidence)(shop.vera, dispute["id"])
    await shop.work()
    await shop.happened()


@story(PAID)
async def set_aside_and_taken(shop: Shop) -> Booking:
    booking = await shop.set_aside()
    await taken(shop, booking)
    return booking


@story(PAID, passing=frozenset({"payment.authorised"}))
async def set_aside_heard_of_only_when_it_was_taken_at_the_dashboard(shop: Shop) -> Booking:
    booking = await shop.set_aside(know=False)
    await shop.capture_by_hand(booking, 10_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=6_000))
async def set_aside_and_taken_in_part(shop: Shop) -> Booking:
    booking = await shop.set_aside()
    await taken(shop, booking, 6_000)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=6_000))
async def set_aside_and_taken_without_an_answer(shop: Shop) -> Booking:
    booking = await shop.set_aside()
    shop.gateway.moods = [SILENT]
    await taken(shop, booking, 6_000)
    return booking


@story(Ending(booking="expired", payment="cancelled"))
async def set_aside_and_let_go(shop: Shop) -> Booking:
    booking = await shop.set_aside()
    await shop.use(ReleasePayment)(shop.vera, shop.id_of(booking))
    await shop.work()
    await shop.happened()
    return booking


@story(Ending(booking="expired", payment="cancelled"), promptly=False, takes_time=True)
async def set_aside_and_lapsed_before_we_heard(shop: Shop) -> Booking:
    booking = await shop.set_aside(know=False)
    await shop.later(timedelta(days=8))
    return booking


@story(Ending(booking="expired", payment="cancelled"), takes_time=True)
async def set_aside_and_taken_too_late(shop: Shop) -> Booking:
    booking = await shop.set_aside()
    await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture())
    shop.clock.advance(timedelta(days=7))
    await shop.work()
    await shop.happened()
    return booking


@story(GONE, only_told=True)
async def disputed_and_lost(shop: Shop) -> Booking:
    booking = await shop.paid()
    await shop.decided(await shop.disputed(booking), won=False)
    return booking


@story(KEPT, only_told=True)
async def disputed_and_won(shop: Shop) -> Booking:
    booking = await shop.paid()
    await shop.decided(await shop.disputed(booking), won=True)
    return booking


@story(KEPT, only_told=True)
async def disputed_before_we_heard_of_the_money(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "ok")
    await shop.decided(await shop.disputed(booking), won=True)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, dispute="won", answered=True), only_told=True)
async def disputed_answered_and_won(shop: Shop) -> Booking:
    booking = await shop.paid()
    await shop.disputed(booking)
    await answered(shop, "winning_evidence")
    return booking


@story(GONE, takes_time=True, only_told=True)
async def disputed_and_answered_too_late(shop: Shop) -> Booking:
    """It was submitted in time, and the gateway was away until its deadline had passed."""
    booking = await shop.paid()
    await shop.disputed(booking)
    dispute = await shop.hears_of_dispute()
    await shop.use(PrepareEvidence)(shop.vera, dispute["id"], EvidenceDraft(explanation="They came."))
    await shop.use(SubmitEvidence)(shop.vera, dispute["id"])
    shop.clock.advance(timedelta(days=15))
    await shop.work()
    await shop.happened()
    return booking


@story(
    Ending(booking="confirmed", payment="captured", captured=10_000, refunded=10_000, disputed=10_000, dispute="lost"),
    only_told=True,
)
async def given_back_and_disputed_all_the_same(shop: Shop) -> Booking:
    """The bank takes a second time what has gone back already."""
    booking = await shop.paid()
    await refunded(shop, booking, None)
    await shop.decided(await shop.disputed(booking), won=False)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=10_000, dispute="won"), only_told=True)
async def disputed_cancelled_and_won(shop: Shop) -> Booking:
    """What the cancellation owes waits for the bank."""
    booking = await shop.paid()
    ref = await shop.disputed(booking)
    await shop.hears_of_dispute()
    await cancelled(shop, booking, shop.vera)
    await shop.decided(ref, won=True)
    return booking


@story(
    Ending(booking="cancelled", payment="captured", captured=10_000, refunded=6_000, disputed=4_000, dispute="lost"),
    only_told=True,
)
async def disputed_in_part_cancelled_and_lost(shop: Shop) -> Booking:
    booking = await shop.paid()
    ref = await shop.disputed(booking, 4_000)
    await shop.hears_of_dispute()
    await cancelled(shop, booking, shop.vera)
    await shop.decided(ref, won=False)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=10_000), only_told=True)
async def warned_of_and_given_back(shop: Shop) -> Booking:
    booking = await shop.book()
    await shop.show(booking, "warned")
    for told in await shop.untold():
        await shop.hear(told, as_it_stood=False)
    (warning,) = await shop.all("fraud_warnings")
    await shop.use(HeedWarning)(ADMIN, warning["id"])
    await shop.work()
    await shop.happened()
    return booking
