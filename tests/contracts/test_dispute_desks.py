"""What every dispute desk promises: the simulated gateway's, and Stripe's adapter against a stand-in for Stripe."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import stripe

from adapters.simulated_gateway import Books, SimulatedDisputes, SimulatedGateway
from adapters.stripe import StripeDisputes, StripeGateway, StripeVerifier
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.ports.disputes import DisputeDesk, Document, EvidenceOrder
from application.ports.payments import Declined, GatewaySilent, OpenOrder
from domain.payments import DisputeState, Evidence, Topic
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, DisputeId, PaymentId
from domain.shared.money import Money
from tests.application.till import Quiet
from tests.support.stripe_banks import StripeBanks, stripe_banks

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

PAID = Money(10_000, "EUR")
S = DisputeState
SAID = Evidence(explanation="They came.", service="A lesson.", service_date="2026-03-02", customer_name="Ada")
PROOF = Document(name="proof.pdf", content_type="application/pdf", content=b"%PDF-1.7 signed")


@dataclass(slots=True, kw_only=True)
class Bank:
    """A desk under test with a paid payment, and the bank behind it."""

    desk: DisputeDesk
    payment_ref: str
    dispute: Callable[[int], Any]
    decide: Callable[[str, bool], Any]
    warn: Callable[[], Any]
    pass_deadline: Callable[[], None]


@pytest.fixture(params=["simulated", "stripe"])
async def bank(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:
    if request.param == "simulated":
        clock, books = StandingClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), Books(":memory:")
        ids = SeededIds(clock, seed="banks")
        gateway = SimulatedGateway(books, Quiet(), clock=clock, ids=ids, secret="a secret")
        order = OpenOrder(payment_id=PaymentId(UUID(int=1)), booking_id=BookingId(UUID(int=2)), attempt=1, amount=PAID)
        payment = await gateway.open(order)
        await gateway.confirm(payment.ref, payment.client_secret or "", "ok")
        desk = SimulatedDisputes(books, Quiet(), clock=clock, ids=ids)
        yield Bank(
            desk=desk,
            payment_ref=payment.ref,
            dispute=lambda minor: desk.dispute(payment.ref, amount=minor),
            decide=lambda ref, won: desk.decide(ref, won=won),
            warn=lambda: desk.warn(payment.ref),
            pass_deadline=lambda: clock.advance(timedelta(days=15)),
        )
        books.close()
        return
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
    async with stripe_banks() as banks:
        connected = StripeGateway(api_key="sk_test_1", api_base=banks.api_base)
        yield _of_stripe(banks, StripeDisputes(connected))
        await connected.aclose()


def _of_stripe(banks: StripeBanks, desk: StripeDisputes) -> Bank:
    async def dispute(minor: int) -> str:
        return banks.dispute("pi_1", minor)

    async def decide(ref: str, won: bool) -> None:
        banks.decide(ref, won=won)

    async def warn() -> str:
        return banks.warn("pi_1")

    def pass_deadline() -> None:
        banks.now += 15 * 86_400

    return Bank(desk=desk, payment_ref="pi_1", dispute=dispute, decide=decide, warn=warn, pass_deadline=pass_deadline)


def evidence(ref: str, said: Evidence = SAID, document: Document | None = None) -> EvidenceOrder:
    return EvidenceOrder(dispute_id=DisputeId(UUID(int=5)), dispute_ref=ref, evidence=said, document=document)


async def test_a_dispute_says_what_was_taken_and_until_when_it_can_be_answered(bank: Bank) -> None:
    ref = await bank.dispute(4_000)
    found = await bank.desk.find_dispute(ref)
    assert (found.ref, found.payment_ref, found.state, found.reason) == (
        ref,
        bank.payment_ref,
        S.NEEDS_RESPONSE,
        "fraudulent",
    )
    assert (found.amount, found.taken, found.returned) == (Money(4_000, "EUR"), Money(4_000, "EUR"), Money.zero("EUR"))
    assert (found.fee, found.fee_returned) == (Money(1_500, "EUR"), Money.zero("EUR"))
    assert found.due_at == found.opened_at + timedelta(days=14)


@pytest.mark.parametrize("won", [True, False])
async def test_what_was_taken_comes_back_when_it_is_won(bank: Bank, won: bool) -> None:
    ref = await bank.dispute(4_000)
    await bank.decide(ref, won)
    found = await bank.desk.find_dispute(ref)
    assert (found.state, found.taken) == (S.WON if won else S.LOST, Money(4_000, "EUR"))
    assert found.returned == Money(4_000 if won else 0, "EUR")
    assert found.fee == Money(1_500, "EUR")


async def test_evidence_is_handed_in_once_however_often_it_is_asked_for(bank: Bank) -> None:
    ref = await bank.dispute(4_000)
    first = await bank.desk.answer(evidence(ref, document=PROOF))
    assert first.state is S.UNDER_REVIEW
    assert await bank.desk.answer(evidence(ref, document=PROOF)) == first
    assert (await bank.desk.find_dispute(ref)).state is S.UNDER_REVIEW


async def test_after_the_deadline_no_evidence_is_taken(bank: Bank) -> None:
    ref = await bank.dispute(4_000)
    bank.pass_deadline()
    with pytest.raises(Declined):
        await bank.desk.answer(evidence(ref))


async def test_nor_once_it_is_decided(bank: Bank) -> None:
    ref = await bank.dispute(4_000)
    await bank.decide(ref, False)
    with pytest.raises(Declined):
        await bank.desk.answer(evidence(ref))


async def test_a_warning_says_which_payment_and_whether_it_can_still_be_heeded(bank: Bank) -> None:
    found = await bank.desk.find_warning(await bank.warn())
    assert (found.payment_ref, found.reason, found.actionable) == (bank.payment_ref, "made_with_stolen_card", True)


async def test_what_it_does_not_know_is_not_found(bank: Bank) -> None:
    for find in (bank.desk.find_dispute, bank.desk.find_warning):
        with pytest.raises(NotFound):
            await find("dp_nothing")


class TestStripeAlone:
    """What only Stripe's disputes are like."""

    @pytest.fixture
    async def banks(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeBanks]:
        monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)
        monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
        async with stripe_banks() as banks:
            yield banks

    @pytest.fixture
    async def desk(self, banks: StripeBanks) -> AsyncIterator[StripeDisputes]:
        connected = StripeGateway(api_key="sk_test_1", api_base=banks.api_base)
        yield StripeDisputes(connected)
        await connected.aclose()

    async def test_evidence_goes_into_stripes_own_fields_with_its_document(
        self, banks: StripeBanks, desk: StripeDisputes
    ) -> None:
        ref = banks.dispute("pi_1", 4_000)
        await desk.answer(evidence(ref, document=PROOF))
        assert banks.disputes[ref]["evidence"] == {
            "uncategorized_text": "They came.",
            "product_description": "A lesson.",
            "service_date": "2026-03-02",
            "customer_name": "Ada",
            "uncategorized_file": "file_1",
        }
        assert banks.files == [("proof.pdf", b"%PDF-1.7 signed")]

    async def test_evidence_whose_answer_was_lost_is_in_and_not_refused(
        self, banks: StripeBanks, desk: StripeDisputes
    ) -> None:
        ref = banks.dispute("pi_1", 4_000)
        banks.silent = 9
        with pytest.raises(GatewaySilent):
            await desk.answer(evidence(ref))
        banks.silent = 0
        banks._answers.clear()  # Stripe forgets keys after a day
        assert (await desk.answer(evidence(ref))).state is S.UNDER_REVIEW

    async def test_evidence_given_at_the_dashboard_is_not_ours(self, banks: StripeBanks, desk: StripeDisputes) -> None:
        ref = banks.dispute("pi_1", 4_000)
        banks.disputes[ref]["evidence_details"]["submission_count"] = 1
        with pytest.raises(Declined):
            await desk.answer(evidence(ref))

    async def test_mended_evidence_is_another_request(self, banks: StripeBanks, desk: StripeDisputes) -> None:
        ref = banks.dispute("pi_1", 4_000)
        bad = evidence(ref, replace(SAID, service_date="yesterday"))
        banks.disputes[ref]["status"] = "lost"
        with pytest.raises(Declined):
            await desk.answer(bad)
        banks.disputes[ref]["status"] = "needs_response"
        assert (await desk.answer(evidence(ref))).state is S.UNDER_REVIEW

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("warning_needs_response", S.INQUIRY),
            ("warning_under_review", S.INQUIRY),
            ("warning_closed", S.WON),
            ("prevented", S.WON),
            ("under_review", S.UNDER_REVIEW),
            ("appeal_needs_response", S.UNDER_REVIEW),
            ("a word of next year", S.UNDER_REVIEW),
        ],
    )
    async def test_every_word_of_stripes_is_one_of_ours(
        self, banks: StripeBanks, desk: StripeDisputes, status: str, state: DisputeState
    ) -> None:
        ref = banks.dispute("pi_1", 4_000, status=status, balance_transactions=[])
        found = await desk.find_dispute(ref)
        assert (found.state, found.taken.amount_minor, found.fee.amount_minor) == (state, 0, 0)

    async def test_a_balance_in_another_currency_moves_all_that_is_disputed(
        self, banks: StripeBanks, desk: StripeDisputes
    ) -> None:
        ref = banks.dispute("pi_1", 4_000, currency="gbp", balance="eur")
        found = await desk.find_dispute(ref)
        assert (found.taken, found.returned) == (Money(4_000, "GBP"), Money.zero("GBP"))
        assert found.fee == Money(1_500, "EUR")
        banks.decide(ref, won=True)
        assert (await desk.find_dispute(ref)).returned == Money(4_000, "GBP")

    async def test_a_fee_in_a_currency_without_our_books_is_left_out(
        self, banks: StripeBanks, desk: StripeDisputes
    ) -> None:
        ref = banks.dispute("pi_1", 4_000, balance="mga")
        assert (await desk.find_dispute(ref)).fee == Money.zero("EUR")

    async def test_one_about_a_charge_that_no_payment_of_ours_made_is_not_found(
        self, banks: StripeBanks, desk: StripeDisputes
    ) -> None:
        ref = banks.dispute("pi_1", 4_000, payment_intent=None)
        with pytest.raises(NotFound):
            await desk.find_dispute(ref)

    @pytest.mark.parametrize(
        ("kind", "thing", "about", "payment"),
        [
            (
                "charge.dispute.created",
                {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"},
                "dispute",
                "pi_1",
            ),
            (
                "radar.early_fraud_warning.created",
                {"object": "radar.early_fraud_warning", "id": "issfr_1", "payment_intent": "pi_1"},
                "warning",
                "pi_1",
            ),
            ("setup_intent.succeeded", {"object": "setup_intent", "id": "seti_1"}, "setup", None),
            ("payment_method.detached", {"object": "payment_method", "id": "pm_1"}, "card", None),
        ],
    )
    def test_its_messages_about_them_are_about_money(
        self, kind: str, thing: dict[str, Any], about: str, payment: str | None
    ) -> None:
        raw = json.dumps({"id": "evt_1", "type": kind, "created": 1_772_442_000, "data": {"object": thing}})
        clock = StandingClock(datetime.fromtimestamp(1_772_442_000, UTC))
        header = stripe.WebhookSignature.generate_signature_header(raw, "whsec_1", timestamp=1_772_442_000)
        notice = StripeVerifier(["whsec_1"], clock).verify(raw.encode(), {"stripe-signature": header})
        assert (notice.topic, notice.thing, notice.thing_ref) == (Topic.MONEY, about, thing["id"])
        assert (notice.payment_ref, notice.refund_ref) == (payment, None)
