"""Disputes, warnings, saved cards and money that is set aside, whatever the order of news."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.payments import (
    AuthorisationEnded,
    CaptureFailed,
    CaptureRequested,
    CaptureTooLarge,
    CaptureUnderWay,
    Dispute,
    DisputeClosed,
    DisputeOpened,
    DisputeOver,
    DisputeState,
    Evidence,
    EvidenceRefused,
    EvidenceSubmitted,
    EvidenceTooLate,
    FraudWarned,
    FraudWarning,
    GatewayCard,
    GatewayDisagrees,
    GatewayDispute,
    GatewayPayment,
    GatewayWarning,
    LedgerEntry,
    NotAuthorised,
    NothingToSay,
    NotPayable,
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDisputed,
    PaymentMethod,
    PaymentMethodRemoved,
    PaymentMethodSaved,
    PaymentState,
    Refund,
    RefundTooLarge,
    ReleaseRequested,
    WarningHeeded,
    balanced,
    dispute_entries,
    settle_dispute,
    totals,
)
from domain.shared.aggregate import Event
from domain.shared.errors import Invalid
from domain.shared.ids import (
    BookingId,
    DisputeId,
    FileId,
    FraudWarningId,
    OrganizationId,
    PaymentId,
    PaymentMethodId,
    RefundId,
    UserId,
)
from domain.shared.money import Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(days=14)
WEEK = NOW + timedelta(days=7)
PRICE, NOTHING, FEE = Money(10_000, "EUR"), Money.zero("EUR"), Money(1_500, "EUR")
PAYMENT, BOOKING, DISPUTE = PaymentId(UUID(int=1)), BookingId(UUID(int=2)), DisputeId(UUID(int=5))
S, D = PaymentState, DisputeState


def told(payment: Payment) -> list[type[Event]]:
    return [type(event) for event in payment.take_events()]


def a_payment(**said: Any) -> Payment:
    payment = Payment.request(
        id=PAYMENT,
        booking_id=BOOKING,
        customer_id=UserId(UUID(int=3)),
        organization_id=OrganizationId(UUID(int=4)),
        amount=PRICE,
        now=NOW,
        **said,
    )
    payment.take_events()
    return payment


def at_gateway(state: PaymentState, captured: int = 0, **said: Any) -> GatewayPayment:
    facts: dict[str, Any] = {"gateway": "simulated", "ref": "sp_1", "payment_id": PAYMENT, "attempt": 1}
    return GatewayPayment(**facts, state=state, amount=PRICE, captured=Money(captured, "EUR"), **said)


def paid() -> Payment:
    payment = a_payment()
    payment.settle(at_gateway(S.CAPTURED, 10_000), now=NOW)
    payment.take_events()
    return payment


def set_aside() -> Payment:
    payment = a_payment(capture_later=True)
    payment.settle(at_gateway(S.AUTHORISED, authorised_until=WEEK), now=NOW)
    return payment


def test_money_in_another_currency_than_was_asked_for_is_for_a_person() -> None:
    dollars = Money(10_000, "USD")
    with pytest.raises(GatewayDisagrees):
        a_payment().settle(replace(at_gateway(S.CAPTURED, 10_000), amount=dollars, captured=dollars), now=NOW)


class TestSettingAside:
    def test_it_is_said_until_when_it_can_be_taken(self) -> None:
        payment = set_aside()
        (event,) = payment.take_events()
        assert event == PaymentAuthorised(payment_id=PAYMENT, booking_id=BOOKING, until=WEEK)
        assert (payment.state, payment.authorised_until, payment.captured) == (S.AUTHORISED, WEEK, NOTHING)
        assert not payment.is_payable
        with pytest.raises(NotPayable):
            payment.must_be_payable()

    @pytest.mark.parametrize("taken", [10_000, 1])
    def test_what_is_taken_counts_and_the_decision_is_forgotten(self, taken: int) -> None:
        payment = set_aside()
        payment.capture(Money(taken, "EUR"), now=NOW)
        assert payment.capturing == Money(taken, "EUR")
        assert payment.settle(at_gateway(S.CAPTURED, taken), now=NOW) == Money(taken, "EUR")
        assert (payment.captured, payment.capturing) == (Money(taken, "EUR"), None)
        assert told(payment) == [PaymentAuthorised, CaptureRequested, PaymentCaptured]

    def test_only_what_was_to_be_taken_later_may_come_in_part(self) -> None:
        with pytest.raises(GatewayDisagrees):
            a_payment().settle(at_gateway(S.CAPTURED, 9_999), now=NOW)
        with pytest.raises(GatewayDisagrees):
            set_aside().settle(at_gateway(S.CAPTURED, 10_001), now=NOW)

    @pytest.mark.parametrize("minor", [0, -1, 10_001])
    def test_no_more_than_is_set_aside(self, minor: int) -> None:
        with pytest.raises(CaptureTooLarge) as refused:
            set_aside().capture(Money(minor, "EUR"), now=NOW)
        assert (refused.value.details["asked"], refused.value.details["most"]) == (minor, 10_000)

    def test_the_first_decision_stands(self) -> None:
        payment = set_aside()
        payment.take_events()
        payment.capture(PRICE, now=NOW)
        payment.capture(PRICE, now=NOW)
        with pytest.raises(CaptureUnderWay):
            payment.capture(Money(1, "EUR"), now=NOW)
        with pytest.raises(CaptureUnderWay):
            payment.let_go(now=NOW)
        assert told(payment) == [CaptureRequested]

    def test_once_it_has_lapsed_or_never_was_it_is_not_taken(self) -> None:
        for payment, at in ((set_aside(), WEEK), (a_payment(capture_later=True), NOW), (paid(), NOW)):
            with pytest.raises(NotAuthorised):
                payment.capture(PRICE, now=at)
            with pytest.raises(NotAuthorised):
                payment.let_go(now=at)

    def test_letting_go_is_asked_for_and_ends_when_the_gateway_says_so(self) -> None:
        payment = set_aside()
        payment.take_events()
        payment.let_go(now=NOW)
        payment.settle(at_gateway(S.CANCELLED), now=NOW)
        assert told(payment) == [ReleaseRequested, AuthorisationEnded]

    def test_a_cancelled_payment_that_was_never_set_aside_ends_nothing(self) -> None:
        payment = a_payment(capture_later=True)
        payment.settle(at_gateway(S.CANCELLED), now=NOW)
        assert told(payment) == []

    def test_a_refused_capture_may_be_decided_anew(self) -> None:
        payment = set_aside()
        payment.refuse_capture("nothing was asked")
        payment.capture(PRICE, now=NOW)
        payment.refuse_capture("amount_too_small")
        assert (payment.capturing, payment.failure) == (None, "amount_too_small")
        payment.capture(Money(5_000, "EUR"), now=NOW)
        assert told(payment) == [PaymentAuthorised, CaptureRequested, CaptureFailed, CaptureRequested]

    def test_every_order_of_news_ends_the_same(self) -> None:
        news = [
            at_gateway(S.OPEN),
            at_gateway(S.FAILED, failure="card_declined"),
            at_gateway(S.AUTHORISED, authorised_until=WEEK),
            at_gateway(S.CAPTURED, 6_000),
        ]
        ends = set()
        for order in permutations(news):
            payment = a_payment(capture_later=True)
            for each in order:
                payment.settle(each, now=NOW)
            ends.add((payment.state, payment.captured, payment.capturing))
        assert ends == {(S.CAPTURED, Money(6_000, "EUR"), None)}


def news(state: DisputeState = D.NEEDS_RESPONSE, **said: Any) -> GatewayDispute:
    facts: dict[str, Any] = {
        "gateway": "simulated",
        "ref": "sd_1",
        "payment_ref": "sp_1",
        "reason": "fraudulent",
        "amount": PRICE,
        "taken": PRICE,
        "returned": NOTHING,
        "fee": FEE,
        "fee_returned": NOTHING,
        "due_at": DUE,
        "opened_at": NOW,
    }
    return GatewayDispute(state=state, **(facts | said))


class Case:
    """A paid payment and its dispute, with what was booked."""

    def __init__(self, payment: Payment | None = None) -> None:
        self.payment = payment or paid()
        self.dispute = Dispute.adopt(id=DISPUTE, payment=self.payment, provider_id=None, news=news(), now=NOW)
        self.booked: list[LedgerEntry] = []
        self._ids: Iterator[UUID] = (UUID(int=1_000 + n) for n in count())

    def hear(self, *told: GatewayDispute) -> "Case":
        for each in told:
            moved = settle_dispute(self.dispute, self.payment, each, now=NOW)
            self.booked += dispute_entries(self.payment, self.dispute, moved, new=lambda: next(self._ids), now=NOW)
        return self

    @property
    def held(self) -> int:
        return totals(self.booked).get(("gateway:simulated", "EUR"), 0)


OPENED = news()
REVIEWED = news(D.UNDER_REVIEW)
WON = news(D.WON, returned=PRICE)
LOST = news(D.LOST)


class TestDisputes:
    def test_what_is_taken_and_what_it_costs_is_booked_once(self) -> None:
        case = Case().hear(OPENED, OPENED)
        assert case.held == -11_500
        assert balanced(case.booked)
        assert (case.payment.disputed, case.payment.open_disputes) == (PRICE, 1)
        assert case.dispute.due_at == DUE
        assert {entry.source_id for entry in case.booked} == {"simulated:sd_1:1"}

    @pytest.mark.parametrize(("last", "held"), [(WON, -1_500), (LOST, -11_500)])
    def test_every_order_and_number_of_news_ends_the_same(self, last: GatewayDispute, held: int) -> None:
        ends = set()
        for order in permutations([OPENED, REVIEWED, last, OPENED]):
            case = Case().hear(*order)
            assert balanced(case.booked)
            ends.add((case.dispute.state, case.held, case.payment.disputed, case.payment.open_disputes))
        disputed = NOTHING if last is WON else PRICE
        assert ends == {(last.state, held, disputed, 0)}

    @given(st.lists(st.sampled_from([OPENED, REVIEWED, WON, LOST]), max_size=8))
    @settings(max_examples=200, deadline=None)
    def test_the_books_always_say_what_the_dispute_says(self, heard: list[GatewayDispute]) -> None:
        case = Case().hear(*heard)
        dispute = case.dispute
        assert case.held == -(dispute.taken - dispute.returned + dispute.fee - dispute.fee_returned).amount_minor
        assert case.payment.disputed == dispute.taken - dispute.returned
        assert case.payment.open_disputes == dispute.is_contested
        keys = [(entry.source_kind, entry.source_id, entry.account) for entry in case.booked]
        assert len(keys) == len(set(keys))

    def test_it_is_told_when_it_opens_and_when_it_closes(self) -> None:
        case = Case().hear(OPENED, WON, OPENED)
        opened, closed = case.dispute.take_events()
        assert isinstance(opened, DisputeOpened)
        assert isinstance(closed, DisputeClosed)
        assert (opened.amount, closed.won, closed.payment_id) == (PRICE, True, PAYMENT)
        assert case.dispute.closed_at == NOW

    def test_a_win_that_is_overturned_is_told_too(self) -> None:
        case = Case().hear(WON, LOST)
        assert [event.won for event in case.dispute.take_events() if isinstance(event, DisputeClosed)] == [True, False]

    def test_an_inquiry_holds_nothing_back_until_it_becomes_a_dispute(self) -> None:
        case = Case()
        case.hear(news(D.INQUIRY, taken=NOTHING, fee=NOTHING))
        assert case.booked == []
        assert case.payment.refundable == PRICE
        case.dispute.version = 1
        case.dispute.take_events()
        case.hear(OPENED)
        assert [type(event) for event in case.dispute.take_events()] == [DisputeOpened]
        assert case.payment.open_disputes == 1

    def test_a_fee_in_another_currency_is_shown_and_in_no_book_of_this_payment(self) -> None:
        pounds = Money(1_500, "GBP")
        case = Case().hear(news(fee=pounds, fee_returned=Money.zero("GBP")))
        assert case.dispute.fee == pounds
        assert {entry.amount.currency for entry in case.booked} == {"EUR"}
        assert case.held == -10_000

    def test_a_dispute_in_another_currency_is_for_a_person(self) -> None:
        dollars = Money(10_000, "USD")
        with pytest.raises(GatewayDisagrees):
            Case().hear(news(amount=dollars, taken=dollars, returned=Money.zero("USD")))

    def test_nothing_is_given_back_meanwhile_nor_what_the_bank_kept(self) -> None:
        case = Case().hear(news(amount=Money(4_000, "EUR"), taken=Money(4_000, "EUR")))
        assert case.payment.refundable == NOTHING
        with pytest.raises(PaymentDisputed):
            give_back(case.payment, 1)
        case.hear(news(D.LOST, amount=Money(4_000, "EUR"), taken=Money(4_000, "EUR")))
        assert case.payment.refundable == Money(6_000, "EUR")
        with pytest.raises(RefundTooLarge):
            give_back(case.payment, 6_001)
        give_back(case.payment, 6_000)
        with pytest.raises(PaymentDisputed):
            give_back(case.payment, 1)

    def test_what_has_gone_back_may_be_taken_a_second_time(self) -> None:
        payment = paid()
        payment.reserve(PRICE)
        payment.give_back(PRICE)
        case = Case(payment).hear(LOST)
        assert (payment.refunded, payment.disputed, payment.refundable) == (PRICE, PRICE, NOTHING)
        assert case.held == -11_500

    def test_two_disputes_of_one_payment_are_two(self) -> None:
        payment = paid()
        one, other = Case(payment), Case(payment)
        half = Money(5_000, "EUR")
        one.hear(news(amount=half, taken=half))
        other.hear(news(amount=half, taken=half, ref="sd_2"))
        assert (payment.open_disputes, payment.disputed) == (2, PRICE)
        one.hear(news(D.WON, amount=half, taken=half, returned=half))
        assert (payment.open_disputes, payment.refundable) == (1, NOTHING)


def give_back(payment: Payment, minor: int) -> Refund:
    return Refund.request(id=RefundId(UUID(int=9)), payment=payment, amount=Money(minor, "EUR"), now=NOW)


SAID = Evidence(explanation="They came.")


class TestEvidence:
    def case(self) -> Dispute:
        dispute = Case().hear(OPENED).dispute
        dispute.take_events()
        return dispute

    def test_it_is_rewritten_submitted_once_and_acknowledged(self) -> None:
        dispute = self.case()
        dispute.prepare(Evidence(explanation="Wait."), None, now=NOW)
        dispute.prepare(SAID, FileId(UUID(int=7)), now=NOW)
        dispute.submit(now=DUE - timedelta(microseconds=1))
        assert (dispute.submitting, dispute.is_answerable) == (True, False)
        with pytest.raises(DisputeOver):
            dispute.submit(now=NOW)
        dispute.taken_note_of(now=NOW)
        dispute.taken_note_of(now=DUE)
        assert (dispute.submitting, dispute.submitted_at) == (False, NOW)
        dispute.refuse_evidence("too late to refuse")
        with pytest.raises(DisputeOver):
            dispute.prepare(SAID, None, now=NOW)
        assert [type(event) for event in dispute.take_events()] == [EvidenceSubmitted]

    def test_what_was_refused_can_be_mended_while_there_is_time(self) -> None:
        dispute = self.case()
        dispute.prepare(SAID, None, now=NOW)
        dispute.submit(now=NOW)
        dispute.refuse_evidence("bad_date")
        assert (dispute.submitting, dispute.failure) == (False, "bad_date")
        dispute.submit(now=NOW)
        assert dispute.failure == ""
        kinds = [type(event) for event in dispute.take_events()]
        assert kinds == [EvidenceSubmitted, EvidenceRefused, EvidenceSubmitted]

    def test_after_the_deadline_and_the_decision_nobody_listens(self) -> None:
        dispute = self.case()
        dispute.prepare(SAID, None, now=NOW)
        with pytest.raises(EvidenceTooLate) as late:
            dispute.submit(now=DUE)
        assert late.value.details["due_at"] == DUE.isoformat()
        decided = Case().hear(OPENED, LOST).dispute
        with pytest.raises(DisputeOver):
            decided.prepare(SAID, None, now=NOW)

    def test_a_bank_that_sets_no_deadline_waits(self) -> None:
        dispute = Case().hear(news(due_at=None)).dispute
        dispute.prepare(SAID, None, now=DUE)
        dispute.submit(now=DUE)

    def test_a_document_alone_says_something_and_a_name_alone_nothing(self) -> None:
        dispute = self.case()
        dispute.prepare(Evidence(customer_name="Ada"), None, now=NOW)
        with pytest.raises(NothingToSay):
            dispute.submit(now=NOW)
        dispute.prepare(Evidence(), FileId(UUID(int=7)), now=NOW)
        dispute.submit(now=NOW)

    @pytest.mark.parametrize("field", ["explanation", "service", "cancellation_policy"])
    def test_long_texts_have_an_end(self, field: str) -> None:
        assert not Evidence(**{field: "x" * 20_000}).is_empty
        with pytest.raises(Invalid):
            Evidence(**{field: "x" * 20_001})

    @pytest.mark.parametrize("field", ["service_date", "customer_name", "customer_email"])
    def test_facts_are_one_line(self, field: str) -> None:
        assert Evidence(**{field: "x" * 500}).is_empty
        for wrong in ("x" * 501, "one\ntwo"):
            with pytest.raises(Invalid):
                Evidence(**{field: wrong})


class TestWarnings:
    def test_it_is_told_once_heeded_once_and_only_grows_old(self) -> None:
        told_so = GatewayWarning(
            gateway="simulated", ref="sw_1", payment_ref="sp_1", reason="stolen", actionable=True, warned_at=NOW
        )
        warning = FraudWarning.take(id=FraudWarningId(UUID(int=6)), payment=paid(), news=told_so, now=NOW)
        assert [type(event) for event in warning.take_events()] == [FraudWarned]
        warning.follow(told_so)
        assert warning.actionable
        warning.follow(replace(told_so, actionable=False))
        warning.follow(told_so)
        assert not warning.actionable
        warning.heed(RefundId(UUID(int=9)))
        with pytest.raises(WarningHeeded):
            warning.heed(RefundId(UUID(int=10)))
        assert warning.refund_id == RefundId(UUID(int=9))


class TestSavedCards:
    CARD = GatewayCard(
        gateway="simulated", ref="sk_1", customer_ref="sc_1", brand="visa", last4="4242", exp_month=12, exp_year=2040
    )

    def saved(self, **said: Any) -> PaymentMethod:
        card = replace(self.CARD, **said)
        return PaymentMethod.save(id=PaymentMethodId(UUID(int=8)), user_id=UserId(UUID(int=3)), card=card, now=NOW)

    def test_it_is_preferred_renewed_and_removed(self) -> None:
        method = self.saved()
        method.prefer(now=DUE)
        method.renew(replace(self.CARD, last4="1881", exp_year=2044, exp_month=1, brand="mastercard"))
        assert (method.preferred_at, method.created_at) == (DUE, NOW)
        assert (method.brand, method.last4, method.exp_month, method.exp_year) == ("mastercard", "1881", 1, 2044)
        method.remove()
        saved, removed = method.take_events()
        assert isinstance(saved, PaymentMethodSaved)
        assert removed == PaymentMethodRemoved(
            method_id=method.id, user_id=method.user_id, gateway="simulated", gateway_ref="sk_1"
        )

    @pytest.mark.parametrize("said", [{"last4": "424"}, {"last4": "42 2"}, {"exp_month": 0}, {"exp_month": 13}])
    def test_what_is_on_no_card_is_refused(self, said: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            self.saved(**said)
