"""Paying, being told, giving back: what a business does with money on good days and on bad ones."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from adapters.simulated_gateway import (
    SimulatedGateway,
    SimulatedVerifier,
    signed,
)
from application.bookings import BookSlot, CancelBooking, Cancellation, MarkNoShow, Reservation
from application.commands import Command
from application.payments import (
    GetCheckout,
    GetPayment,
    ListLedger,
    ListPayments,
    ListRefunds,
    ListWebhooks,
    NotYoursToRefund,
    PaymentFilter,
    ReceiveWebhook,
    RefreshPayment,
    RefundCancelledBooking,
    RefundFilter,
    RefundPayment,
    Repayment,
    ReplayWebhook,
    StartPayment,
    UnknownSender,
)
from application.ports.payments import BadSignature, GatewayUnavailable, OpenOrder, RefundOrder
from domain.bookings import BookingCancelled, BookingState
from domain.organizations import MemberRole
from domain.payments import (
    AlreadyPaid,
    GatewayPayment,
    GatewayRefund,
    Outcome,
    PaymentCalledOff,
    PaymentCaptured,
    PaymentStrayed,
    RefundFailed,
    RefundTooLarge,
)
from domain.shared.actors import ANONYMOUS, SYSTEM, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, StaleVersion, Unauthenticated
from domain.shared.ids import BookingId, PaymentId, RefundId, WebhookId
from domain.shared.money import Money
from domain.shared.terms import POLICIES, Acceptance, CancellationPolicy, PolicyName
from tests.application.marketplace import HOLD
from tests.application.shop import ADMIN, PRICE, SECRET, TEN, S, Shop, shop
from tests.support.moody_gateway import DOWN, LOST, PENDING, SILENT

__all__ = ["shop"]


class TestPaying:
    async def test_a_booking_is_paid_at_the_gateway_and_confirmed_by_its_message(self, shop: Shop) -> None:
        booking = await shop.book()
        assert shop.payment(booking)["state"] == "open"
        await shop.show(booking, "ok", quiet=False)
        assert shop.booking(booking)["state"] == "held"
        await shop.quiet()
        assert shop.booking(booking)["state"] == "confirmed"
        assert shop.figures(booking) == (10_000, 0, 0)
        assert len(shop.rows("ledger")) == 2
        assert [row["outcome"] for row in shop.rows("webhooks")] == ["settled"]

    async def test_a_second_step_comes_before_the_money(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "3ds")
        row = shop.payment(booking)
        assert row["state"] == "requires_action"
        await shop.till.authenticate_3ds(row["gateway_ref"], row["client_secret"], True)
        await shop.quiet()
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_nothing_can_be_paid_before_the_gateway_has_opened_it(self, shop: Shop) -> None:
        booking = await shop.use(BookSlot)(shop.carl, Reservation(job_id=shop.lesson.id, starts_at=TEN))
        checkout = await shop.use(GetCheckout)(shop.carl, shop.id_of(booking))
        assert (checkout.state, checkout.client_secret) == (S.REQUESTED, None)
        await shop.quiet()
        checkout = await shop.use(GetCheckout)(shop.carl, shop.id_of(booking))
        assert (checkout.state, checkout.amount, checkout.gateway) == (S.OPEN, PRICE, "simulated")
        assert checkout.client_secret

    async def test_the_secret_is_the_customers_alone(self, shop: Shop) -> None:
        booking = await shop.book()
        for other in (shop.vera, await shop.person("rita")):
            with pytest.raises(NotFound):
                await shop.use(GetCheckout)(other, shop.id_of(booking))
            with pytest.raises(NotFound):
                await shop.use(StartPayment)(other, shop.id_of(booking))
        with pytest.raises(Unauthenticated):
            await shop.use(GetCheckout)(ANONYMOUS, shop.id_of(booking))
        with pytest.raises(NotFound):
            await shop.use(GetCheckout)(shop.carl, PaymentId(UUID(int=1)))

    async def test_a_paid_or_called_off_payment_shows_no_secret(self, shop: Shop) -> None:
        booking = await shop.paid()
        assert (await shop.use(GetCheckout)(shop.carl, shop.id_of(booking))).client_secret is None

    async def test_after_a_decline_a_new_attempt_replaces_the_old_one(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "declined")
        assert (shop.payment(booking)["state"], shop.payment(booking)["failure"]) == ("failed", "card_declined")
        payment = await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
        assert (payment.state, payment.attempt) == (S.REQUESTED, 2)
        await shop.quiet()
        assert await shop.intents() == [(1, "cancelled"), (2, "open")]
        await shop.show(booking, "ok")
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_asking_to_pay_twice_is_one_attempt(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "declined")
        command = Command(principal="user:carl", operation="StartPayment", key="k", fingerprint="f")
        for replayed in (False, True):
            outcome = await shop.perform(command, lambda: shop.use(StartPayment)(shop.carl, shop.id_of(booking)))
            assert (outcome.replayed, outcome.answer.attempt) == (replayed, 2)
        assert (await shop.use(StartPayment)(shop.carl, shop.id_of(booking))).attempt == 2

    async def test_the_old_attempt_paid_in_the_last_moment_is_the_payment(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "declined")
        row = shop.payment(booking)
        await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
        shop.gateway.first = lambda: shop.till.confirm(row["gateway_ref"], row["client_secret"], "ok")
        await shop.quiet()
        assert await shop.intents() == [(1, "captured")]
        assert (shop.booking(booking)["state"], shop.payment(booking)["attempt"]) == ("confirmed", 1)
        assert len(shop.told(PaymentCaptured)) == 1

    async def test_nobody_pays_twice_or_for_what_was_called_off(self, shop: Shop) -> None:
        booking = await shop.paid()
        with pytest.raises(AlreadyPaid):
            await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
        other = await shop.book(starts_at=TEN + timedelta(hours=2))
        await shop.later(minutes=16)
        with pytest.raises(PaymentCalledOff):
            await shop.use(StartPayment)(shop.carl, shop.id_of(other))

    async def test_a_customer_who_returns_need_not_wait_for_the_message(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "ok", quiet=False)
        payment = await shop.use(RefreshPayment)(shop.carl, shop.id_of(booking))
        assert payment.state is S.CAPTURED
        await shop.quiet()
        assert (shop.booking(booking)["state"], len(shop.rows("ledger"))) == ("confirmed", 2)

    async def test_a_payment_at_another_gateway_is_not_asked_about_at_this_one(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.good = _Renamed(shop.till)
        with pytest.raises(GatewayUnavailable):
            await shop.use(RefreshPayment)(shop.carl, shop.id_of(booking))


class _Renamed:
    """The same gateway under another name."""

    def __init__(self, gateway: SimulatedGateway) -> None:
        self.gateway = gateway
        self.name = "another"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


class _FreshKeys(_Renamed):
    """Asks the gateway under a fresh key each time, as nobody should."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.till)
        self.name, self.ids = shop.till.name, shop.ids

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        told = await self.gateway.refund(replace(order, refund_id=RefundId(self.ids.new())))
        return replace(told, refund_id=order.refund_id)


class _Stubborn(_Renamed):
    """Will not close what is open."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.till)
        self.name = shop.till.name

    async def cancel(self, ref: str) -> GatewayPayment:
        return await self.gateway.find(ref)


class TestBadDays:
    async def test_a_gateway_that_is_down_is_asked_again(self, shop: Shop) -> None:
        shop.gateway.moods = [DOWN, DOWN]
        booking = await shop.book()
        assert shop.payment(booking)["state"] == "requested"
        await shop.later(seconds=1)
        await shop.later(seconds=2)
        assert shop.payment(booking)["state"] == "open"

    @pytest.mark.parametrize("mood", [SILENT, LOST])
    async def test_no_answer_is_unknown_until_asking_tells_and_opens_one_payment(self, shop: Shop, mood: str) -> None:
        shop.gateway.moods = [mood, LOST]
        booking = await shop.book()
        assert shop.payment(booking)["state"] == "unknown"
        await shop.later(minutes=1)
        assert shop.payment(booking)["state"] == "unknown"
        await shop.later(minutes=2)
        assert shop.payment(booking)["state"] == "open"
        assert await shop.intents() == [(1, "open")]

    async def test_a_message_may_know_before_we_have_asked_again(self, shop: Shop) -> None:
        shop.gateway.moods = [SILENT]
        booking = await shop.book()
        (ref, secret), *_ = await shop.books.do(
            lambda books: [tuple(row) for row in books.execute("select ref, client_secret from payments")]
        )
        await shop.till.confirm(ref, secret, "ok")
        await shop.quiet()
        assert shop.booking(booking)["state"] == "confirmed"
        assert shop.payment(booking)["gateway_ref"] == ref
        await shop.later(minutes=1)
        assert shop.gateway.asked.count("open") == 1

    async def test_a_customer_need_not_wait_for_a_doubt_to_be_resolved(self, shop: Shop) -> None:
        shop.gateway.moods = [LOST]
        booking = await shop.book()
        await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
        await shop.quiet()
        assert await shop.intents() == [(2, "open")]
        await shop.later(minutes=1)
        assert await shop.intents() == [(2, "open")]

    async def test_no_second_attempt_is_opened_while_the_first_can_still_be_paid(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "declined")
        await shop.use(StartPayment)(shop.carl, shop.id_of(booking))
        shop.gateway.good = _Stubborn(shop)
        await shop.worker.all()
        assert await shop.intents() == [(1, "failed")]
        shop.gateway.good = shop.till
        await shop.later(seconds=1)
        assert await shop.intents() == [(1, "cancelled"), (2, "open")]

    async def test_nothing_is_asked_about_what_was_never_opened(self, shop: Shop) -> None:
        booking = await shop.use(BookSlot)(shop.carl, Reservation(job_id=shop.lesson.id, starts_at=TEN))
        payment = await shop.use(RefreshPayment)(shop.carl, shop.id_of(booking))
        assert (payment.state, shop.gateway.asked) == (S.REQUESTED, [])

    async def test_an_amount_the_gateway_refuses_fails_the_payment(self, shop: Shop) -> None:
        booking = await shop.use(BookSlot)(shop.carl, Reservation(job_id=shop.lesson.id, starts_at=TEN))
        other = OpenOrder(
            payment_id=shop.id_of(booking), booking_id=BookingId(UUID(int=1)), attempt=1, amount=Money(1, "EUR")
        )
        await shop.till.open(other)
        await shop.quiet()
        row = shop.payment(booking)
        assert (row["state"], row["failure"]) == ("failed", "idempotency_mismatch")

    async def test_a_message_that_is_not_accepted_comes_again(self, shop: Shop) -> None:
        booking = await shop.book()
        verifiers, shop.ports["verifiers"]["simulated"] = (
            shop.ports["verifiers"]["simulated"],
            SimulatedVerifier(["another"], shop.clock),
        )
        await shop.show(booking, "ok")
        assert shop.rows("webhooks") == []
        shop.ports["verifiers"]["simulated"] = verifiers
        await shop.later(seconds=5)
        assert shop.booking(booking)["state"] == "confirmed"


class TestLateMoney:
    async def test_an_expired_hold_closes_its_payment(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.later(minutes=16)
        assert shop.booking(booking)["state"] == "expired"
        assert shop.payment(booking)["state"] == "cancelled"
        assert await shop.intents() == [(1, "cancelled")]

    async def test_a_hold_that_expires_before_the_gateway_was_asked_is_never_opened(self, shop: Shop) -> None:
        shop.gateway.moods = [DOWN] * 20
        booking = await shop.book()
        await shop.later(minutes=16)
        shop.gateway.moods = []
        await shop.later(hours=1)
        assert shop.payment(booking)["state"] == "cancelled"
        assert await shop.intents() == []

    async def test_a_payment_opened_while_its_booking_was_cancelled_is_closed_again(self, shop: Shop) -> None:
        booking = await shop.use(BookSlot)(shop.carl, Reservation(job_id=shop.lesson.id, starts_at=TEN))

        async def cancel() -> None:
            await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
            await shop.worker.all()

        shop.gateway.first = cancel
        await shop.quiet()
        assert len(shop.told(PaymentStrayed)) == 1
        assert await shop.intents() == [(1, "cancelled")]
        assert shop.payment(booking)["state"] == "cancelled"

    async def test_a_late_payment_takes_the_slot_again_while_it_is_free(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "ok", quiet=False)
        shop.clock.advance(HOLD + timedelta(seconds=1))
        await shop.worker.all()
        assert shop.booking(booking)["state"] == "confirmed"
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 0)
        assert len(shop.rows("ledger")) == 2

    async def test_a_late_payment_goes_back_when_the_slot_is_gone(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "ok", quiet=False)
        shop.clock.advance(HOLD + timedelta(seconds=1))
        await shop.use(BookSlot)(await shop.person("rita"), Reservation(job_id=shop.lesson.id, starts_at=TEN))
        await shop.quiet()
        assert shop.booking(booking)["state"] == "expired"
        assert shop.figures(booking) == (10_000, 0, 10_000)
        assert [row["state"] for row in shop.rows("refunds")] == ["succeeded"]

    async def test_a_success_after_our_own_cancellation_ends_in_a_refund(self, shop: Shop) -> None:
        booking = await shop.book()
        row = shop.payment(booking)
        await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
        shop.gateway.first = lambda: shop.till.confirm(row["gateway_ref"], row["client_secret"], "ok")
        await shop.quiet()
        assert shop.booking(booking)["state"] == "cancelled"
        assert shop.figures(booking) == (10_000, 0, 10_000)
        assert len(shop.rows("refunds")) == 1

    async def test_so_does_one_that_is_told_only_after_the_payment_was_called_off(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.later(minutes=16)
        row = shop.payment(booking)
        assert row["state"] == "cancelled"
        rita = await shop.person("rita")
        await shop.use(BookSlot)(rita, Reservation(job_id=shop.lesson.id, starts_at=TEN))
        # A gateway that captured in spite of its own cancellation.
        await shop.books.do(
            lambda books: (
                books.execute(
                    "update payments set state = 'captured', captured = amount, card = 'ok' where ref = ?",
                    (row["gateway_ref"],),
                ).rowcount
            )
        )
        await shop.use(RefreshPayment)(ADMIN, shop.id_of(booking))
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_a_payment_that_is_opened_meanwhile_is_closed_on_the_second_look(self, shop: Shop) -> None:
        booking = await shop.use(BookSlot)(shop.carl, Reservation(job_id=shop.lesson.id, starts_at=TEN))
        await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())

        async def soon() -> None:
            shop.meanwhile = open_it

        async def open_it() -> None:
            news = await shop.till.open(
                OpenOrder(payment_id=shop.id_of(booking), booking_id=booking.id, attempt=1, amount=PRICE)
            )
            async with shop.begin(SYSTEM) as work:
                (await work.payments.get(shop.id_of(booking))).settle(news, now=shop.clock.now())

        (event,) = shop.told(BookingCancelled)
        reaction = shop.use(RefundCancelledBooking)
        shop.meanwhile = soon
        with pytest.raises(StaleVersion):
            await reaction(SYSTEM, event)
        await reaction(SYSTEM, event)
        assert await shop.intents() == [(1, "cancelled")]

    @pytest.mark.parametrize("ending", ["cancelled", "lapsed"])
    async def test_a_request_that_comes_to_nothing_has_no_payment_to_close(self, shop: Shop, ending: str) -> None:
        shop.lesson = await shop.job(shop.vera, price=PRICE, acceptance=Acceptance.REQUEST)
        booking = await shop.book()
        if ending == "cancelled":
            await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
        await shop.later(days=3)
        assert shop.booking(booking)["state"] == {"cancelled": "cancelled", "lapsed": "expired"}[ending]
        assert (shop.rows("payments"), shop.gateway.asked) == ([], [])
        assert not [row for row in shop.rows("outbox") if row["finished_at"] is None and row["due_at"] <= TEN]


class TestRefunds:
    async def test_a_cancellation_gives_back_what_the_policy_decides(self, shop: Shop) -> None:
        booking = await shop.paid()
        await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
        await shop.quiet()
        percent = POLICIES[PolicyName.MODERATE].refund_percent(TEN, shop.clock.now())
        assert percent == 50
        assert shop.figures(booking) == (10_000, 0, 5_000)
        (refund,) = shop.rows("refunds")
        assert (refund["reason"], refund["state"]) == ("the booking was cancelled", "succeeded")

    async def test_a_cancellation_without_a_refund_leaves_the_money(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.clock.set(TEN - timedelta(hours=1))
        await shop.use(CancelBooking)(shop.carl, booking.id, Cancellation())
        await shop.quiet()
        assert (shop.figures(booking), shop.rows("refunds")) == ((10_000, 0, 0), [])

    async def test_a_missed_booking_gives_back_what_its_policy_says(self, shop: Shop) -> None:
        generous = CancellationPolicy(no_show_percent=20)
        shop.lesson = await shop.job(shop.vera, price=PRICE, custom_policy=generous)
        booking = await shop.paid()
        shop.clock.set(TEN + timedelta(hours=1))
        await shop.use(MarkNoShow)(shop.vera, booking.id)
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 2_000)

    async def test_the_provider_gives_back_in_parts_and_never_more_than_all(self, shop: Shop) -> None:
        booking = await shop.paid()
        await shop.refund(booking, 3_000)
        await shop.refund(booking, 3_000)
        assert shop.figures(booking) == (10_000, 0, 6_000)
        with pytest.raises(RefundTooLarge):
            await shop.refund(booking, 4_001)
        await shop.refund(booking)
        assert shop.figures(booking) == (10_000, 0, 10_000)
        with pytest.raises(RefundTooLarge):
            await shop.refund(booking)

    async def test_a_cancellation_after_a_refund_gives_back_at_most_what_is_left(self, shop: Shop) -> None:
        booking = await shop.paid()
        await shop.refund(booking, 8_000)
        await shop.use(CancelBooking)(shop.vera, booking.id, Cancellation())
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_only_the_providers_side_refunds_by_hand(self, shop: Shop) -> None:
        booking = await shop.paid()
        manager = await shop.member("mona", booking.organization_id, MemberRole.MANAGER)
        member = await shop.member("mike", booking.organization_id, MemberRole.MEMBER)
        await shop.refund(booking, 1_000, by=manager)
        await shop.refund(booking, 1_000, by=ADMIN)
        with pytest.raises(NotYoursToRefund):
            await shop.refund(booking, 1_000, by=shop.carl)
        for stranger in (member, await shop.person("rita")):
            with pytest.raises(NotFound):
                await shop.refund(booking, 1_000, by=stranger)
        with pytest.raises(Unauthenticated):
            await shop.refund(booking, 1_000, by=ANONYMOUS)
        assert shop.figures(booking) == (10_000, 0, 2_000)

    @pytest.mark.parametrize("minor", [0, -1, 10**18])
    async def test_nonsense_amounts_are_refused(self, shop: Shop, minor: int) -> None:
        booking = await shop.paid()
        with pytest.raises((RefundTooLarge, Invalid)):
            await shop.refund(booking, minor)
        assert shop.figures(booking) == (10_000, 0, 0)

    async def test_what_was_not_paid_is_not_refunded(self, shop: Shop) -> None:
        booking = await shop.book()
        with pytest.raises(RefundTooLarge):
            await shop.refund(booking)

    async def test_a_repeated_request_is_one_refund(self, shop: Shop) -> None:
        booking = await shop.paid()
        command = Command(principal="user:vera", operation="RefundPayment", key="k", fingerprint="f")
        ids = set()
        for _ in range(3):
            outcome = await shop.perform(
                command,
                lambda: shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=1_000)),
            )
            ids.add(outcome.answer.id)
        await shop.quiet()
        assert len(ids) == 1
        assert shop.figures(booking) == (10_000, 0, 1_000)

    async def test_of_two_refunds_at_once_the_second_sees_what_is_left(self, shop: Shop) -> None:
        booking = await shop.paid()
        refund = shop.use(RefundPayment)
        most = Repayment(amount_minor=6_000)
        shop.meanwhile = lambda: refund(shop.vera, shop.id_of(booking), most)
        with pytest.raises(RefundTooLarge):
            await shop.perform(
                shop.perform.unkeyed("user:vera", "RefundPayment"),
                lambda: refund(shop.vera, shop.id_of(booking), most),
            )
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 6_000)

    async def test_a_refund_that_does_not_arrive_frees_its_money_and_is_told(self, shop: Shop) -> None:
        booking = await shop.paid("refund_fails")
        row = await shop.refund(booking, 1_000)
        assert (row["state"], row["failure"]) == ("failed", "lost_or_stolen_card")
        assert shop.figures(booking) == (10_000, 0, 0)
        assert len(shop.told(RefundFailed)) == 1

    @pytest.mark.parametrize("mood", [SILENT, LOST])
    async def test_a_refund_without_an_answer_is_sent_once(self, shop: Shop, mood: str) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [mood]
        refund = await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=7_000))
        await shop.worker.all()
        assert shop.row("refunds", refund.id)["state"] == "unknown"
        assert shop.figures(booking) == (10_000, 7_000, 0)
        await shop.later(minutes=1)
        assert shop.row("refunds", refund.id)["state"] == "succeeded"
        assert shop.figures(booking) == (10_000, 0, 7_000)
        await shop.refund(booking)
        assert shop.figures(booking) == (10_000, 0, 10_000)

    async def test_negative_control_a_fresh_key_for_each_try_would_send_it_twice(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.good = _FreshKeys(shop)
        shop.gateway.moods = [SILENT]
        await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=4_000))
        await shop.worker.all()
        shop.clock.advance(timedelta(minutes=1))
        await shop.worker.all()
        row = shop.payment(booking)
        gone = await shop.books.do(lambda books: books.execute("select sum(refunded) from payments").fetchone()[0])
        assert (row["refunded_minor"], gone) == (4_000, 8_000)

    async def test_a_refund_asked_for_while_the_gateway_is_down_is_sent_later(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [DOWN]
        row = await shop.refund(booking, 1_000)
        assert row["state"] == "requested"
        await shop.later(seconds=1)
        assert shop.figures(booking) == (10_000, 0, 1_000)

    async def test_a_refund_the_gateway_refuses_has_failed_and_its_money_is_free(self, shop: Shop) -> None:
        booking = await shop.paid()
        by_hand = RefundOrder(
            refund_id=RefundId(UUID(int=77)),
            payment_ref=shop.payment(booking)["gateway_ref"],
            amount=Money(9_000, "EUR"),
        )
        await shop.till.refund(by_hand)
        refund = await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=2_000))
        await shop.worker.all()
        row = shop.row("refunds", refund.id)
        assert (row["state"], row["failure"]) == ("failed", "amount_too_large")
        assert shop.figures(booking) == (10_000, 0, 0)
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 9_000)

    async def test_a_refund_that_takes_days_is_asked_after_if_nobody_tells(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [PENDING]
        await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=1_000))
        await shop.worker.all()
        assert shop.figures(booking) == (10_000, 1_000, 0)
        shop.clock.advance(timedelta(days=1))
        await shop.worker.all()
        assert shop.figures(booking) == (10_000, 0, 1_000)

    @pytest.mark.parametrize("mood", [PENDING, LOST, DOWN])
    async def test_one_that_takes_many_days_is_asked_after_day_by_day(self, shop: Shop, mood: str) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [PENDING, mood, mood, mood]
        await shop.use(RefundPayment)(shop.vera, shop.id_of(booking), Repayment(amount_minor=1_000))
        for _ in range(4):
            await shop.worker.all()
            assert shop.figures(booking) == (10_000, 1_000, 0)
            shop.clock.advance(timedelta(days=1))
        for _ in range(3):
            await shop.worker.all()
            shop.clock.advance(timedelta(days=1))
        assert shop.figures(booking) == (10_000, 0, 1_000)

    async def test_a_refund_made_at_the_gateway_by_hand_is_taken_into_the_books(self, shop: Shop) -> None:
        booking = await shop.paid()
        by_hand = RefundOrder(
            refund_id=RefundId(UUID(int=77)),
            payment_ref=shop.payment(booking)["gateway_ref"],
            amount=Money(2_000, "EUR"),
        )
        await shop.till.refund(by_hand)
        await shop.quiet()
        assert shop.figures(booking) == (10_000, 0, 2_000)
        (refund,) = shop.rows("refunds")
        assert refund["reason"] == "made at the gateway"

    async def test_one_that_conflicts_with_ours_is_left_to_a_person(self, shop: Shop) -> None:
        booking = await shop.paid()
        shop.gateway.moods = [DOWN] * 3
        await shop.refund(booking, 9_000)
        by_hand = RefundOrder(
            refund_id=RefundId(UUID(int=77)),
            payment_ref=shop.payment(booking)["gateway_ref"],
            amount=Money(2_000, "EUR"),
        )
        shop.gateway.moods = []
        await shop.till.refund(by_hand)
        await shop.post.deliver_due()
        await shop.worker.all()
        (last,) = [row for row in shop.rows("webhooks") if row["kind"] == "refund.succeeded"]
        assert last["outcome"] == "attention"


class TestBeingTold:
    async def message(self, shop: Shop) -> tuple[bytes, dict[str, str]]:
        await shop.paid()
        return shop.came[-1]

    async def test_told_twice_is_kept_and_acted_on_once(self, shop: Shop) -> None:
        raw, headers = await self.message(shop)
        first = await shop.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        again = await shop.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        await shop.quiet()
        assert first.id == again.id
        assert len(shop.rows("webhooks")) == 1
        assert len(shop.rows("ledger")) == 2

    async def test_told_twice_in_the_same_instant_too(self, shop: Shop) -> None:
        booking = await shop.book()
        body = f'{{"id":"se_1","kind":"payment.captured","occurred_at":1,"payment":"{booking.id}","refund":null}}'
        raw = body.encode()
        headers = {"Simulated-Signature": signed(raw, SECRET, shop.clock.now())}
        receive = shop.use(ReceiveWebhook)
        shop.meanwhile = lambda: receive(SYSTEM, "simulated", raw, headers)
        await receive(SYSTEM, "simulated", raw, headers)
        assert [row["external_id"] for row in shop.rows("webhooks")] == ["se_1"]

    async def test_what_is_forged_or_from_nobody_we_know_is_not_kept(self, shop: Shop) -> None:
        raw, headers = await self.message(shop)
        kept = len(shop.rows("webhooks"))
        with pytest.raises(BadSignature):
            await shop.use(ReceiveWebhook)(SYSTEM, "simulated", raw + b" ", headers)
        with pytest.raises(UnknownSender):
            await shop.use(ReceiveWebhook)(SYSTEM, "stripe", raw, headers)
        assert len(shop.rows("webhooks")) == kept

    async def test_every_order_of_the_messages_of_a_story_ends_the_same(self, shop: Shop) -> None:
        booking = await shop.book()
        shop.ports["verifiers"]["simulated"] = SimulatedVerifier(["not yet"], shop.clock)
        row = shop.payment(booking)
        for card in ("declined", "3ds"):
            await shop.till.confirm(row["gateway_ref"], row["client_secret"], card)
        await shop.till.authenticate_3ds(row["gateway_ref"], row["client_secret"], True)
        await shop.post.deliver_due()
        shop.ports["verifiers"]["simulated"] = SimulatedVerifier([SECRET], shop.clock)
        assert len(shop.came) == 3
        for order in permutations([*shop.came, shop.came[0]]):
            for raw, headers in order:
                await shop.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
            await shop.worker.all()
            for webhook in shop.rows("webhooks"):
                await shop.use(ReplayWebhook)(ADMIN, WebhookId(webhook["id"]))
        assert shop.booking(booking)["state"] == BookingState.CONFIRMED
        assert shop.figures(booking) == (10_000, 0, 0)
        assert len(shop.rows("ledger")) == 2
        assert len(shop.told(PaymentCaptured)) == 1

    async def outcome(self, shop: Shop, *, payment: str | None = None, refund: str | None = None) -> str:
        told = {"id": f"se_{len(shop.rows('webhooks'))}", "kind": "x", "occurred_at": 1}
        body = json.dumps({**told, "payment": payment, "refund": refund})
        raw = body.encode()
        headers = {"Simulated-Signature": signed(raw, SECRET, shop.clock.now())}
        webhook = await shop.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        await shop.worker.all()
        return str(shop.row("webhooks", webhook.id)["outcome"])

    async def test_what_is_not_about_us_is_kept_and_said_so(self, shop: Shop) -> None:
        assert await self.outcome(shop) == "ignored"
        assert await self.outcome(shop, payment="sp_nothing") == "unmatched"
        assert await self.outcome(shop, refund="sr_nothing") == "unmatched"
        theirs = await shop.till.open(
            OpenOrder(payment_id=PaymentId(UUID(int=5)), booking_id=BookingId(UUID(int=5)), attempt=1, amount=PRICE)
        )
        assert await self.outcome(shop, payment=theirs.ref) == "unmatched"
        await shop.till.confirm(theirs.ref, theirs.client_secret or "", "ok")
        back = await shop.till.refund(
            RefundOrder(refund_id=RefundId(UUID(int=6)), payment_ref=theirs.ref, amount=PRICE)
        )
        assert await self.outcome(shop, refund=back.ref) == "unmatched"

    async def test_a_refund_by_hand_is_heard_of_before_the_money_it_gives_back(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "ok", quiet=False)
        by_hand = RefundOrder(
            refund_id=RefundId(UUID(int=6)),
            payment_ref=shop.payment(booking)["gateway_ref"],
            amount=Money(4_000, "EUR"),
        )
        back = await shop.till.refund(by_hand)
        assert await self.outcome(shop, refund=back.ref) == "settled"
        assert shop.figures(booking) == (10_000, 0, 4_000)
        await shop.quiet()
        assert (shop.booking(booking)["state"], shop.figures(booking)) == ("confirmed", (10_000, 0, 4_000))

    async def test_messages_of_a_gateway_no_longer_in_use_are_ignored(self, shop: Shop) -> None:
        shop.gateway.good = _Renamed(shop.till)
        assert await self.outcome(shop, payment="sp_1") == "ignored"

    async def test_money_captured_twice_is_for_a_person_to_look_at(self, shop: Shop) -> None:
        booking = await shop.paid()
        second = await shop.till.open(
            OpenOrder(payment_id=shop.id_of(booking), booking_id=booking.id, attempt=2, amount=PRICE)
        )
        await shop.till.confirm(second.ref, second.client_secret or "", "ok")
        await shop.quiet()
        (odd,) = [row for row in shop.rows("webhooks") if row["outcome"] == Outcome.ATTENTION]
        assert second.ref in odd["note"]
        assert shop.figures(booking) == (10_000, 0, 0)

    async def test_a_message_waits_while_the_gateway_cannot_be_asked(self, shop: Shop) -> None:
        booking = await shop.book()
        await shop.show(booking, "ok", quiet=False)
        shop.gateway.moods = [DOWN]
        await shop.quiet()
        assert [row["processed_at"] for row in shop.rows("webhooks")] == [None]
        await shop.later(seconds=1)
        assert shop.booking(booking)["state"] == "confirmed"

    async def test_an_admin_replays_a_message_without_doubling_its_effect(self, shop: Shop) -> None:
        await self.message(shop)
        (webhook,) = shop.rows("webhooks")
        with pytest.raises(Forbidden):
            await shop.use(ReplayWebhook)(shop.carl, WebhookId(webhook["id"]))
        replayed = await shop.use(ReplayWebhook)(ADMIN, WebhookId(webhook["id"]))
        assert not replayed.is_processed
        await shop.quiet()
        assert shop.row("webhooks", webhook["id"])["outcome"] == "settled"
        assert len(shop.rows("ledger")) == 2


class TestLookingUp:
    async def test_each_sees_their_own(self, shop: Shop) -> None:
        booking = await shop.paid()
        await shop.refund(booking, 1_000)
        rita = await shop.person("rita")
        for actor, expected in ((shop.carl, 1), (shop.vera, 1), (ADMIN, 1), (rita, 0)):
            payments = await shop.use(ListPayments)(actor, limit=10)
            refunds = await shop.use(ListRefunds)(actor, RefundFilter(booking_id=booking.id), limit=10)
            assert (len(payments.items), len(refunds.items)) == (expected, expected)
        view = await shop.use(GetPayment)(shop.carl, shop.id_of(booking))
        assert (view.captured, view.refunded, view.state) == (PRICE, Money(1_000, "EUR"), S.CAPTURED)
        assert not hasattr(view, "client_secret")
        with pytest.raises(NotFound):
            await shop.use(GetPayment)(rita, shop.id_of(booking))
        nothing = await shop.use(ListPayments)(shop.carl, PaymentFilter(state=S.FAILED), limit=10)
        assert nothing.items == []

    async def test_nobody_in_particular_sees_nothing(self, shop: Shop) -> None:
        for ask in (
            shop.use(ListPayments)(ANONYMOUS, limit=1),
            shop.use(ListRefunds)(ANONYMOUS, limit=1),
            shop.use(ListLedger)(ANONYMOUS, limit=1),
            shop.use(ListWebhooks)(ANONYMOUS, limit=1),
            shop.use(GetPayment)(ANONYMOUS, PaymentId(UUID(int=1))),
        ):
            with pytest.raises(Unauthenticated):
                await ask

    async def test_the_books_and_the_inbox_are_the_admins(self, shop: Shop) -> None:
        booking = await shop.paid()
        for ask in (shop.use(ListLedger)(shop.vera, limit=1), shop.use(ListWebhooks)(shop.vera, limit=1)):
            with pytest.raises(Forbidden):
                await ask
        boss = await shop.person("boss", Role.ADMIN)
        ledger = await shop.use(ListLedger)(boss, payment_id=shop.id_of(booking), limit=10)
        assert sorted(entry.amount.amount_minor for entry in ledger.items) == [-10_000, 10_000]
        webhooks = await shop.use(ListWebhooks)(boss, sender="simulated", outcome=Outcome.SETTLED, limit=10)
        assert [webhook.kind for webhook in webhooks.items] == ["payment.captured"]
