"""What a payee, a share of a payment and a payout do, whatever the order of news."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payments import (
    WHOLE,
    Books,
    FeeBack,
    FeeRule,
    GatewayDisagrees,
    GatewayPayee,
    GatewayPayment,
    GatewayPayout,
    Movement,
    Payee,
    PayeeMoved,
    PayeeRejected,
    PayeeState,
    Payment,
    PaymentState,
    Payout,
    PayoutFailed,
    PayoutPaid,
    PayoutState,
    Share,
    SourceKind,
    balanced,
    payout_entries,
    share_entries,
    totals,
)
from domain.shared.errors import Invalid
from domain.shared.ids import BookingId, OrganizationId, PayeeId, PaymentId, PayoutId
from domain.shared.money import Money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUSE, PAYEE = OrganizationId(UUID(int=5)), PayeeId(UUID(int=6))
PRICE = Money(10_000, "EUR")
S = PayeeState


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def a_payee() -> Payee:
    return Payee.intend(id=PAYEE, organization_id=HOUSE, gateway="g", now=NOW)


def stands(*, charges: bool = True, pays: bool = True, submitted: bool = True, **told: Any) -> GatewayPayee:
    return GatewayPayee(gateway="g", ref="acct", takes_charges=charges, pays_out=pays, submitted=submitted, **told)


def a_payment(share: Share | None = None) -> Payment:
    return Payment.request(
        id=PaymentId(UUID(int=1)),
        booking_id=BookingId(UUID(int=2)),
        customer_id=None,
        organization_id=HOUSE,
        amount=PRICE,
        share=share,
        now=NOW,
    )


def captured(**told: Any) -> GatewayPayment:
    return GatewayPayment(
        gateway="g",
        ref="pi",
        payment_id=PaymentId(UUID(int=1)),
        **{"attempt": 1, "state": PaymentState.CAPTURED, "amount": PRICE, "captured": PRICE, **told},
    )


def ids() -> Any:
    numbers = iter(range(100, 10_000))
    return lambda: UUID(int=next(numbers))


class TestPayees:
    def test_a_payee_begins_unknown_to_the_gateway_and_keeps_its_first_reference(self) -> None:
        payee = a_payee()
        assert (payee.gateway_ref, payee.state, payee.takes_charges, payee.pays_out) == (
            None,
            S.ONBOARDING,
            False,
            False,
        )
        payee.known_as("one")
        payee.known_as("other")
        assert payee.gateway_ref == "one"

    @pytest.mark.parametrize(
        ("news", "state"),
        [
            (stands(), S.ENABLED),
            (stands(charges=False), S.RESTRICTED),
            (stands(pays=False), S.RESTRICTED),
            (stands(charges=False, pays=False, submitted=False), S.ONBOARDING),
            (stands(charges=False, pays=False), S.RESTRICTED),
            (stands(rejected=True), S.REJECTED),
        ],
    )
    def test_it_stands_as_the_gateway_says(self, news: GatewayPayee, state: PayeeState) -> None:
        payee = a_payee()
        payee.follow(news)
        assert (payee.state, payee.takes_charges, payee.pays_out) == (state, news.takes_charges, news.pays_out)

    @pytest.mark.parametrize(
        "news",
        [stands(), stands(pays=False), stands(pays=False, wanted=("a",)), stands(pays=False, rejected=True)],
    )
    def test_it_knows_what_it_has_followed_and_nothing_else(self, news: GatewayPayee) -> None:
        payee = a_payee()
        assert not payee.knows(news)
        payee.follow(news)
        assert payee.knows(news)
        assert not payee.knows(stands(charges=False, pays=False, wanted=("a", "b")))

    def test_it_tells_when_it_stands_otherwise_and_when_something_else_is_wanted(self) -> None:
        payee = a_payee()
        for news in (stands(), stands(), stands(pays=False, wanted=("a",)), stands(pays=False, wanted=("a",))):
            payee.follow(news)
        payee.follow(stands(pays=False, wanted=("a", "b")))
        told = {"payee_id": PAYEE, "organization_id": HOUSE}
        assert payee.take_events() == [
            PayeeMoved(**told, before=S.ONBOARDING, state=S.ENABLED, wanted=()),
            PayeeMoved(**told, before=S.ENABLED, state=S.RESTRICTED, wanted=("a",)),
            PayeeMoved(**told, before=S.RESTRICTED, state=S.RESTRICTED, wanted=("a", "b")),
        ]
        assert payee.wanted == ("a", "b")

    def test_what_is_wanted_at_first_is_no_news(self) -> None:
        payee = a_payee()
        payee.follow(stands(charges=False, pays=False, submitted=False, wanted=("identity",)))
        assert (payee.take_events(), payee.wanted) == ([], ("identity",))

    def test_who_was_turned_down_is_not_welcome(self) -> None:
        payee = a_payee()
        payee.must_be_welcome()
        payee.follow(stands(rejected=True))
        with pytest.raises(PayeeRejected):
            payee.must_be_welcome()


class TestFees:
    @pytest.mark.parametrize(
        ("points", "amount", "fee"), [(0, 999, 0), (1_000, 10_000, 1_000), (333, 100, 3), (333, 30, 0), (WHOLE, 7, 7)]
    )
    def test_a_fee_is_rounded_down(self, points: int, amount: int, fee: int) -> None:
        share = FeeRule(basis_points=points, back=FeeBack.KEPT).share(euros(amount), "acct")
        assert share == Share(payee_ref="acct", fee=euros(fee), back=FeeBack.KEPT)

    @pytest.mark.parametrize("points", [-1, WHOLE + 1])
    def test_a_fee_is_between_nothing_and_all(self, points: int) -> None:
        with pytest.raises(Invalid) as refused:
            FeeRule(basis_points=points)
        assert refused.value.details == {"field": "basis_points"}

    def test_by_default_nothing_is_kept(self) -> None:
        assert FeeRule() == FeeRule(basis_points=0, back=FeeBack.IN_PROPORTION)

    @given(st.integers(1, 10**6), st.integers(0, WHOLE), st.lists(st.integers(1, 10**5), max_size=6))
    def test_in_proportion_all_of_it_goes_back_with_the_last_part(
        self, whole: int, points: int, parts: list[int]
    ) -> None:
        share, gone, before = FeeRule(basis_points=points).share(euros(whole), "acct"), 0, euros(0)
        for part in [*parts, whole]:
            gone = min(gone + part, whole)
            back = share.fee_returned(euros(gone), euros(whole))
            assert before <= back <= share.fee
            assert abs(back.amount_minor * whole - share.fee.amount_minor * gone) * 2 <= whole
            before = back
        assert before == share.fee

    def test_a_fee_that_is_kept_does_not_go_back(self) -> None:
        share = Share(payee_ref="acct", fee=euros(100), back=FeeBack.KEPT)
        assert share.fee_returned(PRICE, PRICE) == euros(0)


class TestShares:
    SHARE = Share(payee_ref="acct", fee=Money(1_000, "EUR"), back=FeeBack.KEPT)

    def test_what_was_agreed_on_is_kept_with_the_payment(self) -> None:
        payment = a_payment(self.SHARE)
        payment.settle(captured(payee_ref="acct", fee=euros(1_000)), now=NOW)
        assert payment.share == self.SHARE

    def test_another_attempt_is_shared_as_things_stand_then(self) -> None:
        payment = a_payment(self.SHARE)
        payment.decline("payee_takes_no_charges")
        payment.start(None)
        assert payment.share is None
        payment.decline("card_declined")
        payment.start(self.SHARE)
        assert payment.share == self.SHARE

    def test_a_live_attempt_stays_as_it_was_opened(self) -> None:
        payment = a_payment(self.SHARE)
        payment.start(None)
        assert payment.share == self.SHARE

    @pytest.mark.parametrize(
        ("told", "share"),
        [
            ({}, None),
            (
                {"payee_ref": "other", "fee": Money(5, "EUR")},
                Share(payee_ref="other", fee=Money(5, "EUR"), back=FeeBack.KEPT),
            ),
            ({"payee_ref": "acct"}, Share(payee_ref="acct", fee=Money(0, "EUR"), back=FeeBack.KEPT)),
        ],
    )
    def test_what_counts_is_how_the_captured_attempt_was_opened(self, told: Any, share: Share | None) -> None:
        payment = a_payment(self.SHARE)
        payment.settle(captured(**told), now=NOW)
        assert payment.share == share

    def test_one_that_was_shared_without_our_knowing_gives_its_fee_back(self) -> None:
        payment = a_payment()
        payment.settle(captured(payee_ref="acct", fee=euros(7)), now=NOW)
        assert payment.share == Share(payee_ref="acct", fee=euros(7), back=FeeBack.IN_PROPORTION)

    def test_what_moves_is_booked_between_platform_and_account(self) -> None:
        payment, new = a_payment(self.SHARE), ids()
        payment.settle(captured(payee_ref="acct", fee=euros(1_000)), now=NOW)
        moved = [
            (SourceKind.TRANSFER, 10_000),
            (SourceKind.FEE, 1_000),
            (SourceKind.TRANSFER_REVERSED, 4_000),
            (SourceKind.FEE_RETURNED, 400),
        ]
        booked: Any = []
        ends: dict[SourceKind, dict[str, int]] = {}
        for kind, minor in moved:
            entries = share_entries(payment, Movement(kind=kind, ref=kind.value, amount=euros(minor)), new=new, now=NOW)
            assert {(each.source_kind, each.source_id) for each in entries} == {(kind, f"g:{kind.value}")}
            assert {each.books for each in entries} == {Books.PLATFORM, Books.ORGANIZATION}
            assert len({each.transaction_id for each in entries}) == 1
            booked += entries
            ends[kind] = {each.account.rpartition(":")[2]: each.amount.amount_minor for each in entries}
        assert balanced(booked)
        sums = {account: amount for (account, _), amount in totals(booked).items()}
        mine = f"organization:{HOUSE}"
        assert sums == {"gateway:g": -5_400, f"{mine}:account": 5_400, "platform:fees": -600, f"{mine}:fees": 600}
        assert ends[SourceKind.TRANSFER] == {"g": -10_000, "account": 10_000}
        assert ends[SourceKind.TRANSFER_REVERSED] == {"g": 4_000, "account": -4_000}

    def test_nothing_that_moved_is_no_entry_and_another_currency_is_for_a_person(self) -> None:
        payment, new = a_payment(self.SHARE), ids()
        nothing = Movement(kind=SourceKind.FEE, ref="f", amount=euros(0))
        assert share_entries(payment, nothing, new=new, now=NOW) == ()
        with pytest.raises(GatewayDisagrees):
            share_entries(
                payment, Movement(kind=SourceKind.TRANSFER, ref="t", amount=Money(1, "USD")), new=new, now=NOW
            )


P = PayoutState


def paid_out(state: PayoutState, **told: Any) -> GatewayPayout:
    return GatewayPayout(gateway="g", ref="po", state=state, **{"amount": euros(900), **told})


def a_payout() -> Payout:
    return Payout.adopt(
        paid_out(P.IN_TRANSIT), id=PayoutId(UUID(int=9)), payee_id=PAYEE, organization_id=HOUSE, now=NOW
    )


class TestPayouts:
    def test_a_payout_is_taken_over_as_it_was_begun(self) -> None:
        payout = a_payout()
        assert (payout.state, payout.amount, payout.gateway_ref, payout.settled_at) == (
            P.PENDING,
            euros(900),
            "po",
            None,
        )

    @pytest.mark.parametrize("order", list(permutations((P.IN_TRANSIT, P.PAID, P.FAILED))))
    def test_in_whatever_order_it_is_told_the_last_word_is_the_same_and_nothing_is_left_over(
        self, order: tuple[PayoutState, ...]
    ) -> None:
        payout, gone = a_payout(), 0
        for state in order:
            gone += payout.settle(paid_out(state, failure=state.value), now=NOW).amount_minor
        assert (payout.state, payout.failure, gone, payout.settled_at) == (P.FAILED, "failed", 0, NOW)

    @pytest.mark.parametrize(
        ("states", "gone", "state"),
        [
            ((P.IN_TRANSIT, P.IN_TRANSIT), [0, 0], P.IN_TRANSIT),
            ((P.PAID, P.PAID), [900, 0], P.PAID),
            ((P.PAID, P.FAILED, P.PAID), [900, -900, 0], P.FAILED),
            ((P.CANCELLED, P.IN_TRANSIT), [0, 0], P.CANCELLED),
            ((P.FAILED,), [0], P.FAILED),
        ],
    )
    def test_what_reached_the_bank_is_told_once(
        self, states: tuple[PayoutState, ...], gone: list[int], state: PayoutState
    ) -> None:
        payout = a_payout()
        assert [payout.settle(paid_out(each), now=NOW).amount_minor for each in states] == gone
        assert payout.state is state

    def test_it_tells_what_became_of_it(self) -> None:
        payout, later = a_payout(), NOW + timedelta(days=2)
        payout.settle(paid_out(P.IN_TRANSIT, arrives_at=later), now=NOW)
        assert (payout.take_events(), payout.arrives_at, payout.settled_at) == ([], later, None)
        payout.settle(paid_out(P.PAID), now=later)
        payout.settle(paid_out(P.FAILED, failure="closed"), now=later)
        told = {"payout_id": payout.id, "organization_id": HOUSE, "amount": euros(900)}
        assert payout.take_events() == [PayoutPaid(**told), PayoutFailed(**told, reason="closed")]
        assert (payout.arrives_at, payout.settled_at) == (later, later)

    def test_it_knows_what_it_has_come_past_and_how_much_of_it_is_at_the_bank(self) -> None:
        payout = a_payout()
        for state, there in ((P.IN_TRANSIT, 0), (P.PAID, 900), (P.FAILED, 0)):
            assert not payout.knows(paid_out(state))
            payout.settle(paid_out(state), now=NOW)
            assert (payout.knows(paid_out(state)), payout.knows(paid_out(P.PENDING))) == (True, True)
            assert not payout.knows(paid_out(state, amount=euros(901)))
            assert payout.at_bank == euros(there)

    def test_without_a_reason_the_state_is_one(self) -> None:
        payout = a_payout()
        payout.settle(paid_out(P.CANCELLED), now=NOW)
        (told,) = payout.take_events()
        assert isinstance(told, PayoutFailed)
        assert told.reason == "cancelled"

    def test_another_amount_is_for_a_person(self) -> None:
        with pytest.raises(GatewayDisagrees):
            a_payout().settle(paid_out(P.PAID, amount=euros(901)), now=NOW)

    def test_what_left_for_the_bank_is_booked_and_what_came_back_too(self) -> None:
        payout, new = a_payout(), ids()
        assert payout_entries(payout, euros(0), new=new, now=NOW) == ()
        out = payout_entries(payout, euros(900), new=new, now=NOW)
        back = payout_entries(payout, euros(-900), new=new, now=NOW)
        mine = f"organization:{HOUSE}"
        assert totals(out) == {(f"{mine}:account", "EUR"): -900, (f"{mine}:bank", "EUR"): 900}
        assert {(each.source_kind, each.source_id) for each in out} == {(SourceKind.PAYOUT, "g:po")}
        assert {each.source_kind for each in back} == {SourceKind.PAYOUT_RETURNED}
        assert balanced(out)
        assert set(totals([*out, *back]).values()) == {0}
