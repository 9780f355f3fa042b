"""What a payment, a refund, the ledger and the inbox do, whatever the order of news."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.payments import (
    AlreadyPaid,
    GatewayDisagrees,
    GatewayPayment,
    GatewayRefund,
    LedgerEntry,
    NothingToPay,
    Outcome,
    Payment,
    PaymentCalledOff,
    PaymentCaptured,
    PaymentFailed,
    PaymentRequested,
    PaymentState,
    PaymentStrayed,
    Refund,
    RefundFailed,
    RefundRequested,
    RefundState,
    RefundSucceeded,
    RefundTooLarge,
    SourceKind,
    Topic,
    Webhook,
    WebhookReceived,
    balanced,
    capture_entries,
    fail_refund,
    refund_entries,
    settle_refund,
    totals,
)
from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Invalid
from domain.shared.ids import BookingId, OrganizationId, PaymentId, RefundId, UserId, WebhookId
from domain.shared.money import CurrencyMismatch, Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
PRICE = Money(10_000, "EUR")
NOTHING = Money.zero("EUR")
PAYMENT, BOOKING = PaymentId(UUID(int=1)), BookingId(UUID(int=2))
CUSTOMER, ORGANIZATION = UserId(UUID(int=3)), OrganizationId(UUID(int=4))
S, R = PaymentState, RefundState


def fresh_ids() -> Iterator[UUID]:
    return (UUID(int=1_000_000 + n) for n in count())


def a_payment(amount: Money = PRICE) -> Payment:
    return Payment.request(
        id=PAYMENT,
        booking_id=BOOKING,
        customer_id=CUSTOMER,
        organization_id=ORGANIZATION,
        amount=amount,
        now=NOW,
    )


def news(state: PaymentState, **told: Any) -> GatewayPayment:
    facts: dict[str, Any] = {
        "gateway": "g",
        "ref": "ref-1",
        "payment_id": PAYMENT,
        "attempt": 1,
        "state": state,
        "amount": PRICE,
        "captured": PRICE if state is S.CAPTURED else NOTHING,
        "client_secret": f"secret of {told.get('ref', 'ref-1')}",
        "failure": "card_declined" if state is S.FAILED else "",
    }
    return GatewayPayment(**(facts | told))


def a_paid_one() -> Payment:
    payment = a_payment()
    payment.settle(news(S.CAPTURED), now=NOW)
    payment.take_events()
    return payment


def a_refund(payment: Payment, minor: int, number: int = 1) -> Refund:
    return Refund.request(
        id=RefundId(UUID(int=100 + number)), payment=payment, amount=Money(minor, "EUR"), reason="sorry", now=NOW
    )


def refund_news(refund: Refund, state: RefundState, **told: Any) -> GatewayRefund:
    facts: dict[str, Any] = {
        "gateway": "g",
        "ref": f"refund-{refund.id.int}",
        "refund_id": RefundId(refund.id),
        "payment_ref": "ref-1",
        "state": state,
        "amount": refund.amount,
        "failure": "expired_card" if state is R.FAILED else "",
    }
    return GatewayRefund(**(facts | told))


def recorded(thing: Aggregate) -> list[type[Event]]:
    return [type(event) for event in thing.take_events()]


class TestAsking:
    def test_a_payment_is_asked_for_once_and_told(self) -> None:
        payment = a_payment()
        assert payment.state is S.REQUESTED
        assert payment.take_events() == [PaymentRequested(payment_id=PAYMENT, booking_id=BOOKING, attempt=1)]
        assert payment.take_events() == []

    @pytest.mark.parametrize("minor", [0, -1])
    def test_nothing_cannot_be_paid(self, minor: int) -> None:
        with pytest.raises(NothingToPay):
            a_payment(Money(minor, "EUR"))

    def test_an_open_payment_can_be_paid_with_its_secret(self) -> None:
        payment = a_payment()
        assert not payment.is_payable
        payment.settle(news(S.OPEN), now=NOW)
        assert (payment.state, payment.gateway, payment.gateway_ref, payment.client_secret) == (
            S.OPEN,
            "g",
            "ref-1",
            "secret of ref-1",
        )
        assert payment.is_payable

    def test_a_refused_opening_fails_the_attempt_and_says_why(self) -> None:
        payment = a_payment()
        payment.take_events()
        payment.decline("amount_too_small")
        assert payment.take_events() == [
            PaymentFailed(payment_id=PAYMENT, booking_id=BOOKING, reason="amount_too_small")
        ]
        assert not payment.is_payable

    def test_a_late_refusal_changes_nothing_that_has_moved_on(self) -> None:
        payment = a_paid_one()
        payment.decline("too late")
        assert payment.is_captured
        assert recorded(payment) == []

    def test_no_answer_is_a_state_and_is_worth_asking_about(self) -> None:
        payment = a_payment()
        assert (payment.doubt(), payment.state) == (True, S.UNKNOWN)
        payment.settle(news(S.OPEN), now=NOW)
        assert (payment.doubt(), payment.state) == (False, S.OPEN)

    def test_an_amount_we_never_asked_for_is_for_a_person_to_look_at(self) -> None:
        payment = a_payment()
        with pytest.raises(GatewayDisagrees):
            payment.settle(news(S.OPEN, amount=Money(9_999, "EUR")), now=NOW)
        with pytest.raises(GatewayDisagrees):
            payment.settle(news(S.CAPTURED, captured=Money(5_000, "EUR")), now=NOW)

    @pytest.mark.parametrize(
        "figures",
        [
            {"captured": Money(10_001, "EUR")},
            {"refunded": Money(1, "EUR")},
            {"captured": PRICE, "refunded": Money(6_000, "EUR"), "refunding": Money(4_001, "EUR")},
            {"captured": PRICE, "refunding": Money(-1, "EUR")},
            {"captured": PRICE, "refunded": Money(-1, "EUR")},
            {"captured": PRICE, "disputed": Money(-1, "EUR")},
        ],
    )
    def test_no_payment_with_impossible_figures_exists(self, figures: dict[str, Money]) -> None:
        facts: dict[str, Any] = dict.fromkeys(("captured", "refunded", "refunding", "disputed"), NOTHING) | figures
        with pytest.raises(Invalid):
            Payment(
                id=PAYMENT,
                booking_id=BOOKING,
                customer_id=CUSTOMER,
                organization_id=ORGANIZATION,
                amount=PRICE,
                created_at=NOW,
                **facts,
            )

    def test_every_figure_is_in_the_currency_of_the_charge(self) -> None:
        with pytest.raises(CurrencyMismatch):
            a_paid_one().reserve(Money(1, "USD"))


class TestSettling:
    def test_captured_money_is_told_once_however_often_we_hear_of_it(self) -> None:
        payment = a_payment()
        payment.take_events()
        assert payment.settle(news(S.CAPTURED), now=LATER) == PRICE
        assert payment.settle(news(S.CAPTURED), now=LATER) == NOTHING
        assert payment.captured_at == LATER
        assert payment.take_events() == [PaymentCaptured(payment_id=PAYMENT, booking_id=BOOKING, amount=PRICE)]

    def test_a_declined_card_may_be_followed_by_a_good_one_on_the_same_attempt(self) -> None:
        payment = a_payment()
        payment.settle(news(S.OPEN), now=NOW)
        payment.settle(news(S.FAILED), now=NOW)
        assert (payment.state, payment.failure, payment.is_payable) == (S.FAILED, "card_declined", True)
        assert payment.settle(news(S.CAPTURED), now=NOW) == PRICE
        assert payment.failure == ""

    def test_old_news_does_not_move_a_payment_back(self) -> None:
        payment = a_paid_one()
        for state in (S.OPEN, S.FAILED, S.CANCELLED, S.PROCESSING, S.UNKNOWN):
            payment.settle(news(state), now=LATER)
            assert payment.state is S.CAPTURED
        assert recorded(payment) == []

    def test_a_success_after_our_own_cancellation_is_not_lost(self) -> None:
        payment = a_payment()
        payment.settle(news(S.OPEN), now=NOW)
        payment.settle(news(S.CANCELLED), now=NOW)
        payment.take_events()
        assert payment.settle(news(S.CAPTURED), now=LATER) == PRICE
        assert recorded(payment) == [PaymentCaptured]

    def test_a_state_we_do_not_know_changes_nothing(self) -> None:
        payment = a_payment()
        payment.settle(news(S.OPEN), now=NOW)
        payment.settle(news(S.UNKNOWN), now=NOW)
        assert payment.state is S.OPEN

    def test_the_same_money_captured_under_another_reference_is_a_contradiction(self) -> None:
        payment = a_paid_one()
        assert payment.contradicts(news(S.CAPTURED, ref="ref-2"))
        assert not payment.contradicts(news(S.CAPTURED))
        assert payment.settle(news(S.CAPTURED, ref="ref-2"), now=LATER) == NOTHING
        assert payment.gateway_ref == "ref-1"

    @pytest.mark.parametrize(
        "story",
        [
            (S.OPEN, S.CAPTURED),
            (S.OPEN, S.REQUIRES_ACTION, S.CAPTURED),
            (S.OPEN, S.FAILED, S.REQUIRES_ACTION, S.FAILED, S.OPEN, S.CAPTURED, S.CAPTURED),
            (S.OPEN, S.PROCESSING, S.CAPTURED),
            (S.OPEN, S.PROCESSING, S.FAILED),
            (S.OPEN, S.FAILED, S.CANCELLED),
            (S.OPEN, S.CANCELLED, S.CAPTURED),
        ],
    )
    def test_every_order_of_a_story_ends_the_same(self, story: Sequence[PaymentState]) -> None:
        ends = set()
        for order in set(permutations(story)):
            payment = a_payment()
            gained = [payment.settle(news(state), now=NOW).amount_minor for state in order]
            ends.add((payment.state, payment.captured, sum(gained), recorded(payment).count(PaymentCaptured)))
        assert len(ends) == 1
        ((state, _, gained_in_all, told),) = ends
        assert (gained_in_all, told) == ((10_000, 1) if state is S.CAPTURED else (0, 0))


class TestTryingAgain:
    def failed(self) -> Payment:
        payment = a_payment()
        payment.settle(news(S.OPEN), now=NOW)
        payment.settle(news(S.FAILED), now=NOW)
        payment.take_events()
        return payment

    def test_a_failed_payment_is_asked_for_anew_as_another_attempt(self) -> None:
        payment = self.failed()
        payment.start()
        assert (payment.state, payment.attempt, payment.failure, payment.client_secret) == (S.REQUESTED, 2, "", None)
        assert payment.take_events() == [PaymentRequested(payment_id=PAYMENT, booking_id=BOOKING, attempt=2)]

    @pytest.mark.parametrize("state", [S.OPEN, S.REQUIRES_ACTION, S.PROCESSING])
    def test_a_live_attempt_simply_goes_on(self, state: PaymentState) -> None:
        payment = a_payment()
        payment.settle(news(state), now=NOW)
        payment.take_events()
        payment.start()
        assert (payment.state, payment.attempt, recorded(payment)) == (state, 1, [])

    def test_nobody_pays_twice_nor_for_what_was_called_off(self) -> None:
        with pytest.raises(AlreadyPaid):
            a_paid_one().start()
        payment = a_payment()
        payment.withdraw()
        with pytest.raises(PaymentCalledOff):
            payment.start()

    def test_late_news_of_the_failed_attempt_does_not_fail_the_new_one(self) -> None:
        payment = self.failed()
        payment.start()
        payment.settle(news(S.FAILED), now=NOW)
        assert payment.state is S.REQUESTED
        payment.settle(news(S.OPEN, ref="ref-2", attempt=2), now=NOW)
        payment.settle(news(S.CANCELLED), now=NOW)
        assert (payment.state, payment.gateway_ref, payment.client_secret) == (S.OPEN, "ref-2", "secret of ref-2")

    @pytest.mark.parametrize("state", [S.PROCESSING, S.CAPTURED])
    def test_money_that_moves_on_the_earlier_attempt_is_the_payment(self, state: PaymentState) -> None:
        payment = self.failed()
        payment.start()
        payment.settle(news(state), now=NOW)
        assert (payment.state, payment.attempt, payment.gateway_ref) == (state, 1, "ref-1")

    def test_an_earlier_attempt_that_was_paid_beats_an_open_one(self) -> None:
        payment = self.failed()
        payment.start()
        payment.settle(news(S.OPEN, ref="ref-2", attempt=2), now=NOW)
        payment.settle(news(S.PROCESSING), now=NOW)
        assert payment.gateway_ref == "ref-2"
        assert payment.settle(news(S.CAPTURED), now=NOW) == PRICE
        assert payment.gateway_ref == "ref-1"


class TestCallingOff:
    def test_what_was_never_opened_is_just_called_off(self) -> None:
        payment = a_payment()
        payment.withdraw()
        assert payment.state is S.CANCELLED

    @pytest.mark.parametrize("state", [S.OPEN, S.PROCESSING, S.CAPTURED])
    def test_what_is_open_at_the_gateway_must_be_closed_there(self, state: PaymentState) -> None:
        payment = a_payment()
        payment.settle(news(state), now=NOW)
        payment.withdraw()
        assert payment.state is state

    def test_a_declined_opening_leaves_nothing_to_close(self) -> None:
        payment = a_payment()
        payment.decline("amount_too_small")
        payment.withdraw()
        assert payment.state is S.CANCELLED

    def test_a_payment_opened_after_it_was_called_off_has_strayed_and_cannot_be_paid(self) -> None:
        payment = a_payment()
        payment.withdraw()
        payment.take_events()
        payment.settle(news(S.OPEN), now=NOW)
        assert payment.take_events() == [PaymentStrayed(payment_id=PAYMENT, booking_id=BOOKING)]
        assert (payment.state, payment.gateway_ref, payment.is_payable) == (S.CANCELLED, "ref-1", False)
        payment.settle(news(S.OPEN), now=NOW)
        assert recorded(payment) == []

    def test_so_has_a_second_attempt(self) -> None:
        payment = a_payment()
        payment.settle(news(S.FAILED), now=NOW)
        payment.start()
        payment.settle(news(S.CANCELLED), now=NOW)
        payment.withdraw()
        payment.take_events()
        payment.settle(news(S.OPEN, ref="ref-2", attempt=2), now=NOW)
        assert recorded(payment) == [PaymentStrayed]
        assert payment.gateway_ref == "ref-2"


class TestRefunding:
    def test_a_refund_is_set_aside_when_asked_for_and_leaves_when_it_succeeds(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        assert refund.take_events() == [RefundRequested(refund_id=RefundId(refund.id), payment_id=PAYMENT)]
        figures = (payment.refunding, payment.refunded, payment.refundable)
        assert [figure.amount_minor for figure in figures] == [4_000, 0, 6_000]
        assert settle_refund(refund, payment, refund_news(refund, R.PENDING), now=NOW) == NOTHING
        assert settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=LATER) == refund.amount
        assert (payment.refunding.amount_minor, payment.refunded.amount_minor, refund.settled_at) == (0, 4_000, LATER)
        assert settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=LATER) == NOTHING
        assert refund.take_events() == [
            RefundSucceeded(refund_id=RefundId(refund.id), payment_id=PAYMENT, booking_id=BOOKING, amount=refund.amount)
        ]

    def test_refunds_may_be_several_and_never_more_than_was_captured(self) -> None:
        payment = a_paid_one()
        a_refund(payment, 4_000, 1)
        a_refund(payment, 6_000, 2)
        with pytest.raises(RefundTooLarge) as refused:
            a_refund(payment, 1, 3)
        assert refused.value.details == {"asked": 1, "left": 0, "currency": "EUR"}

    @pytest.mark.parametrize("minor", [0, -5, 10_001])
    def test_nothing_less_than_nothing_and_more_than_all_are_refused(self, minor: int) -> None:
        with pytest.raises(RefundTooLarge):
            a_refund(a_paid_one(), minor)

    def test_nothing_is_refunded_of_what_was_not_captured(self) -> None:
        with pytest.raises(RefundTooLarge):
            a_refund(a_payment(), 1)

    def test_a_failed_refund_frees_its_money(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        refund.take_events()
        settle_refund(refund, payment, refund_news(refund, R.FAILED), now=NOW)
        assert payment.refundable == PRICE
        assert recorded(refund) == [RefundFailed]
        assert refund.failure == "expired_card"

    def test_so_does_one_the_gateway_refuses(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        fail_refund(refund, payment, "too_old", now=NOW)
        fail_refund(refund, payment, "too_old", now=NOW)
        assert (payment.refundable, refund.state, refund.failure) == (PRICE, R.FAILED, "too_old")

    def test_a_refund_the_bank_returns_is_ours_again(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=NOW)
        assert settle_refund(refund, payment, refund_news(refund, R.FAILED), now=NOW) == Money(-4_000, "EUR")
        assert (payment.refunded, payment.refundable) == (NOTHING, PRICE)
        assert settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=NOW) == NOTHING

    def test_a_refund_without_an_answer_is_in_doubt_until_the_gateway_is_asked(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        assert refund.doubt()
        assert payment.refunding.amount_minor == 4_000
        settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=NOW)
        assert not refund.doubt()
        assert refund.state is R.SUCCEEDED

    def test_a_refund_made_at_the_gateway_by_hand_is_taken_into_the_books(self) -> None:
        payment = a_paid_one()
        told = refund_news(a_refund(a_paid_one(), 2_500), R.SUCCEEDED, refund_id=None, ref="by-hand")
        refund = Refund.adopt(id=RefundId(UUID(int=7)), payment=payment, news=told, now=NOW)
        assert recorded(refund) == []
        assert settle_refund(refund, payment, told, now=NOW).amount_minor == 2_500
        assert (payment.refunded.amount_minor, refund.gateway_ref) == (2_500, "by-hand")

    def test_a_refund_of_another_amount_is_for_a_person_to_look_at(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 4_000)
        with pytest.raises(GatewayDisagrees):
            settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED, amount=PRICE), now=NOW)

    def test_a_reason_is_text_of_bounded_length(self) -> None:
        with pytest.raises(Invalid):
            Refund.request(id=RefundId(UUID(int=1)), payment=a_paid_one(), amount=PRICE, reason="x" * 501, now=NOW)


class TestLedger:
    def test_a_capture_has_two_sides_that_sum_to_zero(self) -> None:
        entries = capture_entries(a_paid_one(), PRICE, new=fresh_ids().__next__, now=NOW)
        assert balanced(entries)
        assert totals(entries) == {
            ("gateway:g", "EUR"): 10_000,
            (f"organization:{ORGANIZATION}:receivable", "EUR"): -10_000,
        }
        assert {(e.source_kind, e.source_id) for e in entries} == {(SourceKind.CAPTURE, "g:ref-1")}
        assert len({e.transaction_id for e in entries}) == 1
        assert len({e.id for e in entries}) == 2

    def test_nothing_moved_is_nothing_written(self) -> None:
        payment = a_paid_one()
        refund = a_refund(payment, 1)
        assert capture_entries(payment, NOTHING, new=fresh_ids().__next__, now=NOW) == ()
        assert refund_entries(payment, refund, NOTHING, new=fresh_ids().__next__, now=NOW) == ()

    def test_a_refund_goes_the_other_way_and_a_returned_one_comes_back(self) -> None:
        payment, new = a_paid_one(), fresh_ids().__next__
        refund = a_refund(payment, 4_000)
        gone = settle_refund(refund, payment, refund_news(refund, R.SUCCEEDED), now=NOW)
        there = refund_entries(payment, refund, gone, new=new, now=NOW)
        back = refund_entries(payment, refund, -gone, new=new, now=NOW)
        assert totals(there)["gateway:g", "EUR"] == -4_000
        assert {e.source_kind for e in back} == {SourceKind.REFUND_RETURNED}
        assert not any(totals([*there, *back]).values())

    def test_a_one_sided_transaction_does_not_balance(self) -> None:
        entries = capture_entries(a_paid_one(), PRICE, new=fresh_ids().__next__, now=NOW)
        assert not balanced(entries[:1])


class TestInbox:
    def a_webhook(self) -> Webhook:
        return Webhook.receive(
            id=WebhookId(UUID(int=9)),
            sender="g",
            topic=Topic.MONEY,
            external_id="evt-1",
            kind="payment.captured",
            payment_ref="ref-1",
            refund_ref=None,
            payload="{}",
            occurred_at=NOW,
            now=LATER,
        )

    def test_a_message_is_received_before_it_is_processed(self) -> None:
        webhook = self.a_webhook()
        assert (webhook.is_processed, webhook.outcome, webhook.received_at) == (False, Outcome.WAITING, LATER)
        assert webhook.take_events() == [WebhookReceived(webhook_id=WebhookId(webhook.id))]
        webhook.process(Outcome.SETTLED, now=LATER)
        assert (webhook.is_processed, webhook.outcome) == (True, Outcome.SETTLED)

    def test_a_processed_message_can_be_acted_on_again(self) -> None:
        webhook = self.a_webhook()
        webhook.process(Outcome.ATTENTION, note="odd", now=LATER)
        webhook.take_events()
        webhook.replay()
        assert (webhook.is_processed, webhook.outcome, webhook.note) == (False, Outcome.WAITING, "")
        assert recorded(webhook) == [WebhookReceived]


class Books:
    """Everything the business keeps about one payment, fed with news in any order."""

    def __init__(self, refunds: Sequence[int]) -> None:
        self.new = fresh_ids().__next__
        self.payment = a_payment()
        self.wanted = list(refunds)
        self.refunds: list[Refund] = []
        self.ledger: list[LedgerEntry] = []

    def hear(self, state: PaymentState) -> None:
        gained = self.payment.settle(news(state), now=NOW)
        self.write(capture_entries(self.payment, gained, new=self.new, now=NOW))

    def ask_refund(self) -> None:
        if self.wanted:
            try:
                self.refunds.append(a_refund(self.payment, self.wanted[0], len(self.refunds)))
                del self.wanted[0]
            except RefundTooLarge:
                pass

    def hear_refund(self, which: int, state: RefundState) -> None:
        if self.refunds:
            refund = self.refunds[which % len(self.refunds)]
            gone = settle_refund(refund, self.payment, refund_news(refund, state), now=NOW)
            self.write(refund_entries(self.payment, refund, gone, new=self.new, now=NOW))

    def write(self, entries: Sequence[LedgerEntry]) -> None:
        self.ledger += entries

    def must_hold(self) -> None:
        p = self.payment
        assert balanced(self.ledger)  # M1
        given_back = (p.refunded + p.refunding).amount_minor
        assert 0 <= given_back <= p.captured.amount_minor <= p.amount.amount_minor  # M3
        effects = [(e.source_kind, e.source_id, e.account) for e in self.ledger]
        assert len(effects) == len(set(effects))  # M4
        at_gateway = totals(self.ledger).get(("gateway:g", "EUR"), 0)
        assert at_gateway == p.captured.amount_minor - p.refunded.amount_minor  # M5
        assert {e.amount.currency for e in self.ledger} <= {"EUR"}  # M7
        assert p.refunding.amount_minor == sum(
            r.amount.amount_minor for r in self.refunds if r.state in (R.REQUESTED, R.UNKNOWN, R.PENDING)
        )
        assert p.refunded.amount_minor == sum(r.amount.amount_minor for r in self.refunds if r.state is R.SUCCEEDED)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.sampled_from(PaymentState)),
        st.tuples(st.just("ask"), st.none()),
        st.tuples(st.just("refund"), st.tuples(st.integers(0, 5), st.sampled_from(RefundState))),
        st.tuples(st.just("doubt"), st.integers(0, 5)),
        st.tuples(st.just("start"), st.none()),
        st.tuples(st.just("withdraw"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(refunds=st.lists(st.integers(1, 7_000), max_size=5), steps=STEPS)
def test_the_rules_of_money_hold_after_every_step_of_every_story(
    refunds: list[int], steps: list[tuple[str, Any]]
) -> None:
    books = Books(refunds)
    captured_once = 0
    for verb, what in steps:
        match verb:
            case "hear":
                books.hear(what)
            case "ask":
                books.ask_refund()
            case "refund":
                books.hear_refund(*what)
            case "doubt" if books.refunds:
                books.refunds[what % len(books.refunds)].doubt()
            case "withdraw":
                books.payment.withdraw()
            case "start" if books.payment.state not in (S.CAPTURED, S.CANCELLED):
                books.payment.start()
        captured_once += recorded(books.payment).count(PaymentCaptured)
        books.must_hold()
    assert captured_once == (1 if books.payment.is_captured else 0)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_news_in_any_order_and_number_ends_in_one_state(data: st.DataObject) -> None:
    story = data.draw(st.lists(st.sampled_from([s for s in S if s is not S.UNKNOWN]), min_size=1, max_size=6))
    refunds = data.draw(st.lists(st.sampled_from([R.PENDING, R.SUCCEEDED, R.FAILED]), min_size=1, max_size=4))

    def play(order: Sequence[PaymentState], back: Sequence[RefundState]) -> tuple[object, ...]:
        books = Books([3_000])
        for state in order:
            books.hear(state)
        books.ask_refund()
        for refund_state in back:
            books.hear_refund(0, refund_state)
        books.must_hold()
        refunded = [refund.state for refund in books.refunds]
        return books.payment.state, books.payment.captured, books.payment.refunded, refunded

    shuffled = data.draw(st.permutations([*story, *data.draw(st.lists(st.sampled_from(story), max_size=3))]))
    back = data.draw(st.permutations([*refunds, *data.draw(st.lists(st.sampled_from(refunds), max_size=3))]))
    assert play(story, refunds) == play(shuffled, back)
