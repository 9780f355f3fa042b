"""Money that is set aside: it keeps the slot, is taken whole or in part, let go, or lapses."""

from datetime import timedelta

import pytest

from application.bookings import BookSlot, CancelBooking, Cancellation, Reservation
from application.commands import Command
from application.payments import (
    Capture,
    CapturePayment,
    NotYoursToCapture,
    ReleasePayment,
)
from application.ports.payments import CaptureOrder, Declined
from domain.bookings import Booking, BookingSecured, SlotTaken
from domain.organizations import MemberRole
from domain.payments import CaptureFailed, CaptureTooLarge, CaptureUnderWay, NotAuthorised
from domain.shared.actors import ANONYMOUS, Actor
from domain.shared.errors import NotFound, Unauthenticated
from domain.shared.money import Money
from domain.shared.terms import PaymentTerms, PolicyName
from tests.application.marketplace import NOW
from tests.application.shop import PRICE, TEN, Shop, shop
from tests.support.moody_gateway import DOWN, LOST, SILENT

__all__ = ["shop"]
WEEK = timedelta(days=7)


async def set_aside(shop: Shop, card: str = "ok") -> Booking:
    """A hold whose price is set aside on the customer's card."""
    shop.lesson = await shop.job(
        shop.vera, price=PRICE, policy=PolicyName.MODERATE, terms=PaymentTerms.AUTHORISED, title="Session"
    )
    booking = await shop.book()
    await shop.show(booking, card)
    return booking


async def take(shop: Shop, booking: Booking, minor: int | None = None, *, by: Actor | None = None) -> None:
    await shop.use(CapturePayment)(by or shop.vera, shop.id_of(booking), Capture(amount_minor=minor))
    await shop.quiet()


class TestSettingAside:
    async def test_money_set_aside_keeps_the_slot_as_long_as_it_is_and_confirms_nothing(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        payment, held = shop.payment(booking), shop.booking(booking)
        assert (payment["state"], payment["authorised_until"]) == ("authorised", NOW + WEEK)
        assert (held["state"], held["paid"], held["expires_at"]) == ("held", False, NOW + WEEK)
        assert shop.figures(booking) == (0, 0, 0)
        assert shop.rows("ledger") == []
        await shop.later(days=1)
        assert shop.booking(booking)["state"] == "held"
        bob = await shop.person("bob")
        with pytest.raises(SlotTaken):
            await shop.use(BookSlot)(bob, Reservation(job_id=shop.lesson.id, starts_at=TEN))

    async def test_being_told_twice_secures_it_once(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        for raw, headers in list(shop.came):
            assert raw
            assert headers
        await shop.quiet()
        assert len(shop.told(BookingSecured)) == 1
        assert shop.booking(booking)["state"] == "held"

    async def test_a_bank_that_asks_first_sets_it_aside_afterwards(self, shop: Shop) -> None:
        booking = await set_aside(shop, "3ds")
        row = shop.payment(booking)
        assert row["state"] == "requires_action"
        await shop.till.authenticate_3ds(row["gateway_ref"], row["client_secret"], True)
        await shop.quiet()
        assert shop.payment(booking)["state"] == "authorised"

    async def test_a_request_that_is_accepted_waits_for_the_same(self, shop: Shop) -> None:
        booking = await set_aside(shop, "declined")
        assert shop.payment(booking)["state"] == "failed"
        await shop.show(booking, "ok")
        assert shop.payment(booking)["state"] == "authorised"


class TestTaking:
    async def test_taking_all_of_it_confirms_the_booking_and_is_in_the_books(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await take(shop, booking)
        assert (shop.booking(booking)["state"], shop.booking(booking)["paid"]) == ("confirmed", True)
        assert shop.figures(booking) == (10_000, 0, 0)
        assert sorted(row["amount_minor"] for row in shop.rows("ledger")) == [-10_000, 10_000]
        assert shop.payment(booking)["capturing_minor"] is None

    async def test_a_part_can_be_taken_and_the_rest_is_the_customers_again(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await take(shop, booking, 6_000)
        assert shop.figures(booking) == (6_000, 0, 0)
        assert shop.booking(booking)["state"] == "confirmed"
        assert shop.booking(booking)["price_minor"] == 10_000
        with pytest.raises(NotAuthorised):
            await take(shop, booking, 1_000)

    async def test_a_cancellation_gives_back_no_more_than_was_taken(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await take(shop, booking, 3_000)
        await shop.use(CancelBooking)(shop.vera, booking.id, Cancellation())
        await shop.quiet()
        assert shop.figures(booking) == (3_000, 0, 3_000)

    @pytest.mark.parametrize("minor", [0, -1, 10_001])
    async def test_no_more_than_is_set_aside_and_more_than_nothing(self, shop: Shop, minor: int) -> None:
        booking = await set_aside(shop)
        with pytest.raises(CaptureTooLarge):
            await take(shop, booking, minor)
        assert shop.payment(booking)["capturing_minor"] is None

    async def test_deciding_the_same_twice_is_deciding_it_once_and_another_amount_is_refused(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        for _ in range(2):
            await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture(amount_minor=4_000))
        with pytest.raises(CaptureUnderWay):
            await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture(amount_minor=5_000))
        with pytest.raises(CaptureUnderWay):
            await shop.use(ReleasePayment)(shop.vera, shop.id_of(booking))
        await shop.quiet()
        assert shop.figures(booking) == (4_000, 0, 0)

    async def test_a_repeated_request_takes_it_once(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        command = Command(
            principal="vera", operation="capture", key="k", fingerprint="f", life=timedelta(days=1), looks_first=True
        )
        for _ in range(2):
            await shop.perform(
                command, lambda: shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture(amount_minor=4_000))
            )
            await shop.quiet()
        assert shop.figures(booking) == (4_000, 0, 0)

    @pytest.mark.parametrize("mood", [SILENT, LOST, DOWN])
    async def test_a_capture_without_an_answer_is_asked_for_again_and_made_once(self, shop: Shop, mood: str) -> None:
        booking = await set_aside(shop)
        shop.gateway.moods = [mood]
        await take(shop, booking, 7_000)
        await shop.later(minutes=5)
        assert shop.figures(booking) == (7_000, 0, 0)
        assert len(shop.rows("ledger")) == 2

    async def test_one_made_at_the_dashboard_meanwhile_is_what_counts(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        shop.gateway.moods = [DOWN]
        await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture(amount_minor=7_000))
        await shop.worker.all()
        payment = shop.payment(booking)
        await shop.till.capture(
            CaptureOrder(
                payment_id=payment["id"], payment_ref=payment["gateway_ref"], attempt=1, amount=Money(2_000, "EUR")
            )
        )
        await shop.later(minutes=5)
        assert shop.figures(booking) == (2_000, 0, 0)

    async def test_one_the_gateway_will_not_make_can_be_decided_anew(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        booking = await set_aside(shop)

        async def refuse(order: CaptureOrder) -> None:
            raise Declined("amount_too_small")

        with monkeypatch.context() as patched:
            patched.setattr(shop.till, "capture", refuse)
            await take(shop, booking, 1)
        assert [event.reason for event in shop.told(CaptureFailed)] == ["amount_too_small"]
        assert shop.payment(booking)["state"] == "authorised"
        await take(shop, booking, 5_000)
        assert shop.figures(booking) == (5_000, 0, 0)

    async def test_only_those_who_answer_for_the_money_take_it(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        hand = await shop.member("hand", booking.organization_id, MemberRole.MEMBER)
        boss = await shop.member("boss", booking.organization_id, MemberRole.MANAGER)
        stranger = await shop.person("stranger")
        for who, refusal in (
            (ANONYMOUS, Unauthenticated),
            (stranger, NotFound),
            (hand, NotFound),
            (shop.carl, NotYoursToCapture),
        ):
            with pytest.raises(refusal):
                await take(shop, booking, by=who)
            with pytest.raises(refusal):
                await shop.use(ReleasePayment)(who, shop.id_of(booking))
        await take(shop, booking, by=boss)
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_what_is_paid_in_advance_is_never_taken_later(self, shop: Shop) -> None:
        booking = await shop.paid()
        with pytest.raises(NotAuthorised):
            await take(shop, booking)


class TestLettingGo:
    async def test_letting_go_frees_money_and_slot(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await shop.use(ReleasePayment)(shop.vera, shop.id_of(booking))
        await shop.quiet()
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "expired")
        assert shop.rows("ledger") == []
        await shop.book(by=await shop.person("bob"))

    async def test_a_customer_who_cancels_gets_it_back_at_once(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
        await shop.quiet()
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "cancelled")

    async def test_what_lapses_at_the_gateway_frees_the_slot(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await shop.later(days=7, seconds=1)
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "expired")
        with pytest.raises(NotAuthorised):
            await take(shop, booking)
        await shop.quiet()
        assert {row["state"] for row in await gateway_payments(shop)} == {"cancelled"}

    async def test_what_lapsed_earlier_than_we_thought_does_too(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await shop.till.cancel(shop.payment(booking)["gateway_ref"])
        await shop.quiet()
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "expired")

    async def test_a_capture_that_comes_too_late_takes_nothing(self, shop: Shop) -> None:
        booking = await set_aside(shop)
        await shop.use(CapturePayment)(shop.vera, shop.id_of(booking), Capture())
        shop.clock.advance(WEEK)
        await shop.quiet()
        assert shop.figures(booking) == (0, 0, 0)
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "expired")

    async def test_money_set_aside_for_a_booking_that_is_over_is_let_go(self, shop: Shop) -> None:
        shop.lesson = await shop.job(shop.vera, price=PRICE, terms=PaymentTerms.AUTHORISED, title="Session")
        booking = await shop.book()
        shop.gateway.moods = [DOWN]
        shop.clock.advance(timedelta(minutes=16))
        await shop.worker.all()
        await shop.show(booking, "ok")
        await shop.later(hours=1)
        assert (shop.payment(booking)["state"], shop.booking(booking)["state"]) == ("cancelled", "expired")


async def gateway_payments(shop: Shop) -> list[dict[str, object]]:
    return shop.books.read("select state from payments")
