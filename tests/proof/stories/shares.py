"""Stories of payments that go to a provider's own account, and of payouts from there."""

from datetime import timedelta

from domain.bookings import Booking
from domain.payments import FeeBack, FeeRule, PayoutState
from tests.proof.stories.shop import Shop
from tests.proof.stories.tales import PAID, STORIES, Ending, cancelled, refunded, story

__all__ = ["STORIES"]

GIVEN_BACK = Ending(booking="confirmed", payment="captured", captured=10_000, refunded=10_000)
_NEWS = frozenset({"payee.moved", "payout.paid"})
"""What may be overtaken: an account that is restricted and open again before we asked, a payout that came back."""


@story(PAID)
async def shared_and_paid(shop: Shop) -> Booking:
    await shop.shares()
    booking = await shop.book()
    await shop.show(booking, "ok")
    return booking


@story(PAID, passing=frozenset({"payment.failed"}))
async def shared_and_paid_with_the_second_card(shop: Shop) -> Booking:
    await shop.shares()
    booking = await shop.book()
    await shop.show(booking, "declined")
    await shop.show(booking, "ok")
    return booking


@story(GIVEN_BACK)
async def shared_and_given_back(shop: Shop) -> Booking:
    await shop.shares()
    booking = await shop.paid()
    await refunded(shop, booking, None)
    return booking


@story(Ending(booking="confirmed", payment="captured", captured=10_000, refunded=7_500))
async def shared_and_given_back_in_parts(shop: Shop) -> Booking:
    await shop.shares(FeeRule(basis_points=333))
    booking = await shop.paid()
    await refunded(shop, booking, 3_333)
    await refunded(shop, booking, 4_167)
    return booking


@story(GIVEN_BACK)
async def shared_and_given_back_while_the_fee_is_kept(shop: Shop) -> Booking:
    await shop.shares(FeeRule(basis_points=1_000, back=FeeBack.KEPT))
    booking = await shop.paid()
    await refunded(shop, booking, None)
    return booking


@story(Ending(booking="cancelled", payment="captured", captured=10_000, refunded=5_000))
async def shared_and_called_off(shop: Shop) -> Booking:
    await shop.shares()
    booking = await shop.paid()
    await cancelled(shop, booking, shop.carl)
    return booking


@story(PAID)
async def shared_and_paid_out(shop: Shop) -> Booking:
    ref = await shop.shares()
    booking = await shop.paid()
    await shop.pays_out(ref, PayoutState.PAID)
    return booking


@story(GIVEN_BACK)
async def given_back_after_it_was_paid_out(shop: Shop) -> Booking:
    """The account goes below zero, which is what the organization owes there."""
    ref = await shop.shares()
    booking = await shop.paid()
    await shop.pays_out(ref, PayoutState.PAID)
    await refunded(shop, booking, None)
    return booking


@story(PAID, passing=_NEWS)
async def paid_out_and_returned_by_the_bank(shop: Shop) -> Booking:
    ref = await shop.shares()
    booking = await shop.paid()
    await shop.pays_out(ref, PayoutState.PAID, PayoutState.FAILED)
    return booking


@story(PAID, passing=_NEWS)
async def paid_out_for_nothing_and_once_more(shop: Shop) -> Booking:
    ref = await shop.shares()
    booking = await shop.paid()
    await shop.pays_out(ref, PayoutState.CANCELLED)
    await shop.pays_out(ref, PayoutState.PAID)
    return booking


@story(PAID, passing=_NEWS)
async def restricted_after_it_was_paid(shop: Shop) -> Booking:
    ref = await shop.shares()
    booking = await shop.paid()
    await shop.payees.restrict(ref, "proof_of_address")
    await shop.happened()
    return booking


@story(PAID, passing=_NEWS)
async def restricted_and_open_again_while_it_is_paid(shop: Shop) -> Booking:
    ref = await shop.shares()
    booking = await shop.book()
    await shop.payees.restrict(ref, "proof_of_address", takes_charges=True)
    await shop.show(booking, "ok")
    await shop.payees.answer(ref)
    await shop.later(timedelta(minutes=1))
    return booking
