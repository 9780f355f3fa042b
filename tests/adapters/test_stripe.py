"""What only Stripe does: its amounts, its keys and versions, its failures, and how its messages are verified."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
import stripe
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.stripe import API_VERSION, StripeGateway, StripePayees, StripeVerifier
from adapters.stripe.amounts import (
    STRIPE,
    AmountNotTaken,
    Terms,
    charged,
    from_stripe,
    paid_out,
    to_stripe,
)
from adapters.system.clock import StandingClock
from application.ports.payees import PayeeOrder
from application.ports.payments import (
    BadSignature,
    CaptureOrder,
    Declined,
    GatewaySilent,
    GatewayUnavailable,
    MalformedWebhook,
    OpenOrder,
    RefundOrder,
    StaleSignature,
)
from domain.payments import FeeBack, PaymentState, RefundState, Share, Topic
from domain.shared.errors import NotFound
from domain.shared.ids import BookingId, OrganizationId, PayeeId, PaymentId, RefundId
from domain.shared.money import EXPONENTS, Money
from tests.support.localstripe_server import served

# Stripe's client hands its forms to httpx in a way httpx would like to be spelled differently.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=4)
SECRET = "whsec_current"
PAYMENT, BOOKING, REFUND = PaymentId(UUID(int=1)), BookingId(UUID(int=2)), RefundId(UUID(int=3))
ORDER = OpenOrder(payment_id=PAYMENT, booking_id=BOOKING, attempt=2, amount=Money(500, "ISK"))
REFUND_ORDER = RefundOrder(refund_id=REFUND, payment_ref="pi_1", amount=Money(2_000, "EUR"), reason="sorry")

Answer = tuple[int, dict[str, Any]]


def intent(**told: Any) -> dict[str, Any]:
    """A payment intent as Stripe's documentation shows it, with those fields that matter to us."""
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 10_000,
        "amount_received": 0,
        "currency": "eur",
        "client_secret": "pi_1_secret_x",
        "status": "requires_payment_method",
        "last_payment_error": None,
        "created": int(NOW.timestamp()),
        "metadata": {"payment_id": str(PAYMENT), "booking_id": str(BOOKING), "attempt": "2"},
        **told,
    }


def refund(**told: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 2_000,
        "currency": "eur",
        "payment_intent": "pi_1",
        "status": "succeeded",
        "metadata": {"refund_id": str(REFUND)},
        **told,
    }


def error(kind: str, **told: Any) -> dict[str, Any]:
    return {"error": {"type": kind, "message": "no", **told}}


def listed(*refunds: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/refunds", "has_more": False, "data": list(refunds)}


@dataclass(slots=True)
class Recorded:
    """Stripe's recorded answers, given one after the other, and what was asked."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.method, request.path, headers, form))
        status, body = self.answers.pop(0)
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
async def gateway(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StripeGateway]:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
    async with served(recorded.handle) as api_base:
        made = StripeGateway(api_key="sk_test_1", api_base=api_base)
        yield made
        await made.aclose()


class TestAmounts:
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (Money(1_234, "EUR"), 1_234),
            (Money(500, "JPY"), 500),
            (Money(500, "CLP"), 500),
            (Money(5, "ISK"), 500),
            (Money(5, "UGX"), 500),
            (Money(1_234, "HUF"), 1_234),
            (Money(1_234, "TWD"), 1_234),
            (Money(12_340, "KWD"), 12_340),
            (Money(1_000, "BHD"), 1_000),
        ],
    )
    def test_stripe_counts_each_currency_its_own_way(self, ours: Money, theirs: int) -> None:
        assert to_stripe(ours) == theirs
        assert from_stripe(theirs, ours.currency.lower()) == ours

    @pytest.mark.parametrize("amount", [Money(1_234, "KWD"), Money(1, "TND"), Money(1_000, "IQD"), Money(1_000, "LYD")])
    def test_what_stripe_does_not_take_is_refused_before_it_is_asked(self, amount: Money) -> None:
        with pytest.raises(AmountNotTaken):
            to_stripe(amount)

    @pytest.mark.parametrize(("amount", "currency"), [(501, "isk"), (100, "mga"), (100, "")])
    def test_what_cannot_be_is_refused(self, amount: int, currency: str) -> None:
        with pytest.raises(AmountNotTaken):
            from_stripe(amount, currency)

    @given(currency=st.sampled_from(sorted(EXPONENTS)), minor=st.integers(1, 10**4))
    def test_every_amount_is_the_same_there_and_back(self, currency: str, minor: int) -> None:
        terms = STRIPE.get(currency, Terms())
        if not terms.taken:
            return
        amount = Money(minor * terms.step, currency)
        assert from_stripe(to_stripe(amount), currency.lower()) == amount

    @pytest.mark.parametrize("currency", sorted(currency for currency, terms in STRIPE.items() if terms.taken))
    def test_no_less_and_no_more_is_charged_than_stripe_takes(self, currency: str) -> None:
        terms = STRIPE[currency]
        least = -(-terms.least // terms.step) * terms.step
        assert charged(Money(least, currency)) == least * terms.factor
        if least > terms.step:
            with pytest.raises(AmountNotTaken):
                charged(Money(least - terms.step, currency))
        most = (10**terms.digits - 1) // terms.factor // terms.step * terms.step
        assert charged(Money(most, currency)) < 10**terms.digits
        with pytest.raises(AmountNotTaken):
            charged(Money(most + terms.step, currency))

    @pytest.mark.parametrize(
        ("amount", "least"),
        [
            (Money(49, "USD"), 50),
            (Money(29, "GBP"), 30),
            (Money(49, "JPY"), 50),
            (Money(17_499, "HUF"), 17_500),
            (Money(299, "SEK"), 300),
        ],
    )
    def test_too_little_is_refused_with_what_would_do(self, amount: Money, least: int) -> None:
        with pytest.raises(AmountNotTaken) as refused:
            charged(amount)
        assert refused.value.details["least"] == least
        assert to_stripe(amount)  # as a refund it may go back

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (Money(1_200, "HUF"), 1_200),
            (Money(1_200, "TWD"), 1_200),
            (Money(5, "UGX"), 500),
            (Money(1_234, "EUR"), 1_234),
        ],
    )
    def test_what_is_paid_out_is_whole_where_banks_know_no_parts(self, ours: Money, theirs: int) -> None:
        assert paid_out(ours) == theirs

    @pytest.mark.parametrize("amount", [Money(1_234, "HUF"), Money(1_201, "TWD"), Money(1_234, "KWD")])
    def test_parts_are_not_paid_out(self, amount: Money) -> None:
        with pytest.raises(AmountNotTaken):
            paid_out(amount)


class TestAsking:
    async def test_opening_sends_our_ids_our_key_and_the_pinned_version(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers = [(200, intent(amount=50_000, currency="isk"))]
        assert (await gateway.open(ORDER)).amount == ORDER.amount
        ((method, path, headers, form),) = recorded.asked
        assert (method, path) == ("POST", "/v1/payment_intents")
        assert headers["idempotency-key"] == f"payment:{PAYMENT}:v2"
        assert headers["stripe-version"] == API_VERSION
        assert form == {
            "amount": "50000",
            "currency": "isk",
            "automatic_payment_methods[enabled]": "true",
            "metadata[payment_id]": str(PAYMENT),
            "metadata[booking_id]": str(BOOKING),
            "metadata[attempt]": "2",
        }

    async def test_a_refund_is_keyed_by_its_own_id(self, gateway: StripeGateway, recorded: Recorded) -> None:
        recorded.answers = [(200, refund())]
        await gateway.refund(REFUND_ORDER)
        ((_, _, headers, form),) = recorded.asked
        assert headers["idempotency-key"] == f"refund:{REFUND}"
        assert form == {
            "payment_intent": "pi_1",
            "amount": "2000",
            "reason": "requested_by_customer",
            "metadata[refund_id]": str(REFUND),
            "metadata[reason]": "sorry",
        }

    async def test_a_stumble_is_retried_under_the_same_key(self, gateway: StripeGateway, recorded: Recorded) -> None:
        recorded.answers = [(500, error("api_error")), (409, error("api_error")), (200, intent())]
        await gateway.open(ORDER)
        assert {headers["idempotency-key"] for _, _, headers, _ in recorded.asked} == {f"payment:{PAYMENT}:v2"}
        assert len(recorded.asked) == 3

    async def test_an_amount_stripe_does_not_take_is_declined_unasked(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        dinars = Money(1_234, "KWD")
        with pytest.raises(Declined):
            await gateway.open(OpenOrder(payment_id=PAYMENT, booking_id=BOOKING, attempt=1, amount=dinars))
        with pytest.raises(Declined):
            await gateway.refund(RefundOrder(refund_id=REFUND, payment_ref="pi_1", amount=dinars))
        assert recorded.asked == []


class TestSharing:
    SHARE = Share(payee_ref="acct_1", fee=Money(1_005, "EUR"), back=FeeBack.KEPT)

    async def test_a_shared_payment_goes_to_its_account_less_the_fee(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        told = {"transfer_data": {"destination": "acct_1"}, "application_fee_amount": 1_005}
        recorded.answers.append((200, intent(**told)))
        order = replace(ORDER, amount=Money(10_000, "EUR"), share=self.SHARE)
        payment = await gateway.open(order)
        assert (payment.payee_ref, payment.fee) == ("acct_1", self.SHARE.fee)
        form = recorded.asked[0][3]
        assert form["transfer_data[destination]"] == "acct_1"
        assert form["application_fee_amount"] == "1005"
        assert "on_behalf_of" not in form

    async def test_a_fee_is_what_stripe_can_move_and_none_is_left_out(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers += [(200, intent()), (200, intent())]
        for fee in (1_000, 0):
            share = replace(self.SHARE, fee=Money(fee, "KWD"))
            await gateway.open(replace(ORDER, amount=Money(10_000, "KWD"), share=share))
        assert [form.get("application_fee_amount") for *_, form in recorded.asked] == ["1000", None]

    async def test_an_odd_fee_is_rounded_down_where_the_last_digit_is_zero(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers.append((200, intent()))
        share = replace(self.SHARE, fee=Money(1_009, "KWD"))
        await gateway.open(replace(ORDER, amount=Money(10_000, "KWD"), share=share))
        assert recorded.asked[0][3]["application_fee_amount"] == "1000"

    @pytest.mark.parametrize("fee_back", [True, False])
    async def test_what_goes_back_of_it_is_taken_from_where_it_went(
        self, gateway: StripeGateway, recorded: Recorded, fee_back: bool
    ) -> None:
        recorded.answers.append((200, refund()))
        await gateway.refund(replace(REFUND_ORDER, shared=True, fee_back=fee_back))
        form = recorded.asked[0][3]
        assert form["reverse_transfer"] == "true"
        assert form["refund_application_fee"] == str(fee_back).lower()

    async def test_of_any_other_payment_nothing_is_taken_back(self, gateway: StripeGateway, recorded: Recorded) -> None:
        recorded.answers += [(200, intent()), (200, refund())]
        payment = await gateway.open(ORDER)
        await gateway.refund(REFUND_ORDER)
        assert (payment.payee_ref, payment.fee) == (None, None)
        asked = {*recorded.asked[0][3], *recorded.asked[1][3]}
        assert not asked & {"transfer_data[destination]", "application_fee_amount", "reverse_transfer"}

    async def test_an_account_made_before_is_found_when_its_key_is_forgotten(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        payee_id = PayeeId(UUID(int=4))
        made = {"id": "acct_1", "object": "account", "metadata": {"payee_id": str(payee_id)}}
        recorded.answers.append((200, {"object": "list", "url": "/v1/accounts", "has_more": False, "data": [made]}))
        order = PayeeOrder(
            payee_id=payee_id, organization_id=OrganizationId(UUID(int=5)), name="V", email="", since=NOW
        )
        assert await StripePayees(gateway).enrol(order) == "acct_1"
        assert len(recorded.asked) == 1

    async def test_an_account_that_took_its_permission_back_is_not_there(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers += [(403, error("invalid_request_error", code="account_invalid"))] * 2
        payees = StripePayees(gateway)
        with pytest.raises(NotFound):
            await payees.find("acct_1")
        with pytest.raises(NotFound):
            await payees.payout("acct_1", "po_1")


class TestSettingAside:
    async def test_it_is_asked_for_in_stripes_words_and_only_where_it_is_wanted(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers = [(200, intent()), (200, intent())]
        await gateway.open(replace(ORDER, capture_later=True))
        await gateway.open(ORDER)
        (*_, first), (*_, second) = recorded.asked
        assert first["capture_method"] == "manual"
        assert "capture_method" not in second

    @pytest.mark.parametrize(
        ("charge", "until"),
        [
            ("ch_1", NOW + timedelta(days=7)),
            ({"id": "ch_1", "object": "charge", "payment_method_details": {"card": {}}}, NOW + timedelta(days=7)),
            (
                {
                    "id": "ch_1",
                    "object": "charge",
                    "payment_method_details": {"card": {"capture_before": int(LATER.timestamp())}},
                },
                LATER,
            ),
        ],
    )
    async def test_it_lapses_when_the_network_says_or_after_seven_days(
        self, gateway: StripeGateway, recorded: Recorded, charge: Any, until: datetime
    ) -> None:
        recorded.answers = [(200, intent(status="requires_capture", latest_charge=charge))]
        found = await gateway.find("pi_1")
        assert (found.state, found.authorised_until) == (PaymentState.AUTHORISED, until)

    async def test_taking_it_names_the_amount_and_another_amount_is_another_request(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        order = CaptureOrder(payment_id=PAYMENT, payment_ref="pi_1", attempt=2, amount=Money(6_000, "EUR"))
        recorded.answers = [(200, intent(status="succeeded", amount_received=6_000))] * 2
        taken = await gateway.capture(order)
        await gateway.capture(replace(order, amount=Money(5_000, "EUR")))
        assert (taken.state, taken.captured) == (PaymentState.CAPTURED, Money(6_000, "EUR"))
        assert [form["amount_to_capture"] for *_, form in recorded.asked] == ["6000", "5000"]
        assert len({headers["idempotency-key"] for _, _, headers, _ in recorded.asked}) == 2

    async def test_a_bank_that_wants_to_hear_from_the_cards_owner_has_not_refused(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers = [(200, intent(last_payment_error={"code": "authentication_required"}))]
        found = await gateway.find("pi_1")
        assert (found.state, found.failure) == (PaymentState.REQUIRES_ACTION, "")


class TestStates:
    @pytest.mark.parametrize(
        ("status", "failed", "state"),
        [
            ("requires_payment_method", None, PaymentState.OPEN),
            ("requires_payment_method", {"code": "card_declined"}, PaymentState.FAILED),
            ("requires_confirmation", None, PaymentState.OPEN),
            ("requires_action", None, PaymentState.REQUIRES_ACTION),
            ("processing", None, PaymentState.PROCESSING),
            ("requires_capture", None, PaymentState.AUTHORISED),
            ("succeeded", {"code": "card_declined"}, PaymentState.CAPTURED),
            ("canceled", None, PaymentState.CANCELLED),
            ("invented_next_year", None, PaymentState.UNKNOWN),
        ],
    )
    async def test_every_status_of_an_intent_is_one_of_our_words(
        self,
        gateway: StripeGateway,
        recorded: Recorded,
        status: str,
        failed: dict[str, str] | None,
        state: PaymentState,
    ) -> None:
        recorded.answers = [(200, intent(status=status, last_payment_error=failed))]
        found = await gateway.find("pi_1")
        assert (found.state, found.failure) == (state, "card_declined" if state is PaymentState.FAILED else "")

    async def test_the_banks_own_reason_says_more(self, gateway: StripeGateway, recorded: Recorded) -> None:
        failed = {"code": "card_declined", "decline_code": "insufficient_funds"}
        recorded.answers = [(200, intent(last_payment_error=failed))]
        assert (await gateway.find("pi_1")).failure == "insufficient_funds"

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("pending", RefundState.PENDING),
            ("requires_action", RefundState.PENDING),
            ("succeeded", RefundState.SUCCEEDED),
            ("failed", RefundState.FAILED),
            ("canceled", RefundState.FAILED),
            ("invented_next_year", RefundState.UNKNOWN),
            (None, RefundState.UNKNOWN),
        ],
    )
    async def test_every_status_of_a_refund_is_one_of_our_words(
        self, gateway: StripeGateway, recorded: Recorded, status: str | None, state: RefundState
    ) -> None:
        recorded.answers = [(200, refund(status=status, failure_reason="expired_or_canceled_card"))]
        found = await gateway.find_refund("re_1")
        assert (found.state, found.failure) == (state, "expired_or_canceled_card")

    @pytest.mark.parametrize("metadata", [{}, {"payment_id": "no uuid", "attempt": "²"}])
    async def test_what_somebody_else_opened_in_the_account_is_not_ours(
        self, gateway: StripeGateway, recorded: Recorded, metadata: dict[str, str]
    ) -> None:
        recorded.answers = [(200, intent(metadata=metadata)), (200, refund(metadata={}, payment_intent=None))]
        found = await gateway.find("pi_1")
        assert (found.payment_id, found.attempt) == (None, 0)
        back = await gateway.find_refund("re_1")
        assert (back.refund_id, back.payment_ref) == (None, None)

    async def test_nor_is_what_is_in_a_currency_we_do_not_take(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        recorded.answers = [(200, intent(currency="mga"))]
        with pytest.raises(NotFound):
            await gateway.find("pi_1")


class TestBadDays:
    @pytest.mark.parametrize(
        ("status", "body", "refusal"),
        [
            (402, error("card_error", code="card_declined", decline_code="fraudulent"), Declined),
            (400, error("invalid_request_error", code="amount_too_small"), Declined),
            (400, error("idempotency_error"), GatewaySilent),
            (401, error("invalid_request_error"), GatewayUnavailable),
            (403, error("invalid_request_error"), GatewayUnavailable),
            (429, error("invalid_request_error", code="rate_limit"), GatewayUnavailable),
            (409, error("invalid_request_error", code="lock_timeout"), GatewayUnavailable),
            (500, error("api_error"), GatewaySilent),
            (503, {"nonsense": True}, GatewaySilent),
        ],
    )
    async def test_a_failed_write_was_refused_not_done_or_perhaps_done(
        self,
        gateway: StripeGateway,
        recorded: Recorded,
        status: int,
        body: dict[str, Any],
        refusal: type[Exception],
    ) -> None:
        recorded.answers = [(status, body)] * 3
        with pytest.raises(refusal):
            await gateway.open(ORDER)

    async def test_a_decline_says_why(self, gateway: StripeGateway, recorded: Recorded) -> None:
        recorded.answers = [(402, error("card_error", code="card_declined", decline_code="lost_card"))]
        with pytest.raises(Declined) as refused:
            await gateway.open(ORDER)
        assert refused.value.reason == "lost_card"

    async def test_nobody_at_the_other_end_means_nothing_was_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)
        monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
        async with served(_hang_up) as nobody_soon:
            pass
        gateway = StripeGateway(api_key="sk_test_1", api_base=nobody_soon)
        with pytest.raises(GatewayUnavailable):
            await gateway.open(ORDER)
        with pytest.raises(GatewayUnavailable):
            await gateway.find("pi_1")
        await gateway.aclose()

    async def test_a_connection_that_breaks_while_stripe_acts_is_an_unknown_outcome(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)
        monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
        async with served(_hang_up) as rude:
            gateway = StripeGateway(api_key="sk_test_1", api_base=rude)
            with pytest.raises(GatewaySilent):
                await gateway.open(ORDER)
            with pytest.raises(GatewaySilent):
                await gateway.refund(REFUND_ORDER)
            with pytest.raises(GatewayUnavailable):
                await gateway.find("pi_1")
            with pytest.raises(GatewayUnavailable):
                await gateway.cancel("pi_1")
            await gateway.aclose()

    @pytest.mark.parametrize(
        ("status", "body"),
        [(500, error("api_error")), (400, error("idempotency_error")), (400, error("invalid_request_error"))],
    )
    async def test_a_refund_that_was_made_after_all_is_found_by_our_id(
        self, gateway: StripeGateway, recorded: Recorded, status: int, body: dict[str, Any]
    ) -> None:
        tries = 3 if status == 500 else 1
        others = refund(id="re_0", metadata={"refund_id": str(UUID(int=9))})
        recorded.answers = [(status, body)] * tries + [(200, listed(others, refund()))]
        assert (await gateway.refund(REFUND_ORDER)).ref == "re_1"

    async def test_a_refund_that_was_not_made_is_not_found(self, gateway: StripeGateway, recorded: Recorded) -> None:
        refused = error("invalid_request_error", code="charge_already_refunded")
        recorded.answers = [(400, refused), (200, listed())]
        with pytest.raises(Declined) as declined:
            await gateway.refund(REFUND_ORDER)
        assert declined.value.reason == "charge_already_refunded"

    async def test_a_failed_reading_tells_nothing(self, gateway: StripeGateway, recorded: Recorded) -> None:
        recorded.answers = [(400, error("invalid_request_error"))]
        with pytest.raises(GatewayUnavailable):
            await gateway.find_refund("re_1")
        recorded.answers = [(404, error("invalid_request_error", code="resource_missing"))]
        with pytest.raises(NotFound):
            await gateway.find_refund("re_1")

    async def test_what_can_no_longer_be_cancelled_says_how_it_stands(
        self, gateway: StripeGateway, recorded: Recorded
    ) -> None:
        refused = error("invalid_request_error", code="payment_intent_unexpected_state")
        recorded.answers = [(400, refused), (200, intent(status="processing"))]
        assert (await gateway.cancel("pi_1")).state is PaymentState.PROCESSING


async def _hang_up(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.close()
    await asyncio.sleep(0)
    return web.Response()


def event(**told: Any) -> bytes:
    facts = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_772_442_000,
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
    }
    return json.dumps(facts | told).encode()


def headers(raw: bytes, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    signature = stripe.WebhookSignature.generate_signature_header(raw.decode(), secret, int(at.timestamp()))
    return {"Stripe-Signature": signature}


class TestMessages:
    verifier = StripeVerifier(["whsec_old", SECRET], StandingClock(NOW))

    def test_a_message_signed_with_any_of_our_secrets_is_believed(self) -> None:
        for secret in ("whsec_old", SECRET):
            notice = self.verifier.verify(event(), headers(event(), secret))
            assert (notice.external_id, notice.kind, notice.payment_ref, notice.refund_ref) == (
                "evt_1",
                "payment_intent.succeeded",
                "pi_1",
                None,
            )
            assert notice.occurred_at == datetime.fromtimestamp(1_772_442_000, UTC)

    @pytest.mark.parametrize(
        ("thing", "about"),
        [
            ({"object": "product", "id": "prod_1"}, ("product", "prod_1")),
            ({"object": "price", "id": "price_1"}, ("price", "price_1")),
            ({"object": "subscription", "id": "sub_1"}, ("subscription", "sub_1")),
            ({"object": "checkout.session", "id": "cs_1", "mode": "subscription"}, ("checkout", "cs_1")),
            ({"object": "invoice", "id": "in_1", "subscription": "sub_1"}, ("subscription", "sub_1")),
            (
                {"object": "invoice", "id": "in_1", "parent": {"subscription_details": {"subscription": "sub_1"}}},
                ("subscription", "sub_1"),
            ),
            ({"object": "account", "id": "acct_1"}, ("payee", "acct_1")),
            ({"object": "payout", "id": "po_1"}, ("payout", "po_1")),
            ({"object": "transfer", "id": "tr_1"}, ("transfer", "tr_1")),
            ({"object": "application_fee", "id": "fee_1"}, ("fee", "fee_1")),
            ({"object": "fee_refund", "id": "fr_1", "fee": "fee_1"}, ("fee", "fee_1")),
            ({"object": "invoice", "id": "in_1"}, (None, None)),
            ({"object": "customer", "id": "cus_1"}, (None, None)),
        ],
    )
    def test_what_a_message_is_about_is_read_and_nothing_else(
        self, thing: dict[str, Any], about: tuple[str | None, str | None]
    ) -> None:
        raw = event(type="whatever", data={"object": thing})
        notice = self.verifier.verify(raw, headers(raw))
        assert (notice.thing, notice.thing_ref, notice.payment_ref) == (*about, None)

    def test_what_happened_at_a_connected_account_says_at_which(self) -> None:
        raw = event(type="payout.paid", account="acct_1", data={"object": {"object": "payout", "id": "po_1"}})
        notice = self.verifier.verify(raw, headers(raw))
        assert (notice.topic, notice.thing_ref, notice.payee_ref) == (Topic.PAYEES, "po_1", "acct_1")
        own = event(type="payout.paid", data={"object": {"object": "payout", "id": "po_1"}})
        assert self.verifier.verify(own, headers(own)).payee_ref is None

    def test_a_checkout_that_is_paid_once_is_news_of_its_payment(self) -> None:
        session = {"object": "checkout.session", "id": "cs_1", "mode": "payment", "payment_intent": "pi_1"}
        raw = event(type="checkout.session.completed", data={"object": session})
        notice = self.verifier.verify(raw, headers(raw))
        assert (notice.thing, notice.payment_ref) == (None, "pi_1")

    def test_while_stripe_changes_a_secret_it_signs_with_both(self) -> None:
        raw = event()
        one = headers(raw, "whsec_not_ours")["Stripe-Signature"]
        two = headers(raw)["Stripe-Signature"].partition(",")[2]
        told = self.verifier.verify(raw, {"stripe-signature": f"{one},{two},v0=abc"})
        assert told.external_id == "evt_1"

    @pytest.mark.parametrize("drift", [timedelta(seconds=300), timedelta(seconds=-300)])
    def test_five_minutes_either_way_are_fresh(self, drift: timedelta) -> None:
        told = self.verifier.verify(event(), headers(event(), at=NOW + drift))
        assert told.external_id == "evt_1"

    @pytest.mark.parametrize("drift", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=9999)])
    def test_more_is_not_the_future_included(self, drift: timedelta) -> None:
        with pytest.raises(StaleSignature):
            self.verifier.verify(event(), headers(event(), at=NOW + drift))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda raw, told: (raw + b" ", told),
            lambda raw, told: (raw, {}),
            lambda raw, told: (raw, {"stripe-signature": ""}),
            lambda raw, told: (raw, {"stripe-signature": "t=,v1="}),
            lambda raw, told: (raw, {"stripe-signature": "t=1772442000"}),
            lambda raw, told: (raw, {"stripe-signature": "v1=abc"}),
            lambda raw, told: (raw, {"stripe-signature": f"t=1,{told['Stripe-Signature']}"}),
            lambda raw, told: (raw, {"stripe-signature": told["Stripe-Signature"].replace("v1=", "v0=")}),
            lambda raw, told: (raw, {"stripe-signature": told["Stripe-Signature"] + "\u00e9"}),
            lambda raw, told: (raw, headers(raw, "whsec_forged")),
            lambda raw, told: (b"\xff" + raw, told),
        ],
    )
    def test_anything_else_is_not_stripes(
        self, spoil: Callable[[bytes, dict[str, str]], tuple[bytes, dict[str, str]]]
    ) -> None:
        with pytest.raises(BadSignature):
            self.verifier.verify(*spoil(event(), headers(event())))

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b'"text"',
            b"[" * 100_000,
            event(id=None),
            event(id="evt 1"),
            event(id="evt_\u0000"),
            event(id="e" * 256),
            event(type=7),
            event(created="soon"),
            event(created=10**20),
            event(created="2026-03-02T09:00:00"),
            event(data="x"),
            event(data={"object": {"object": "refund", "id": 7}}),
        ],
    )
    def test_what_is_signed_and_still_nonsense_is_malformed(self, raw: bytes) -> None:
        with pytest.raises(MalformedWebhook):
            self.verifier.verify(raw, headers(raw))

    @pytest.mark.parametrize(
        ("kind", "thing", "payment", "refunded"),
        [
            ("refund.updated", {"object": "refund", "id": "re_1", "payment_intent": "pi_1"}, "pi_1", "re_1"),
            ("refund.created", {"object": "refund", "id": "re_1", "payment_intent": None}, None, "re_1"),
            ("charge.refunded", {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1", None),
            ("charge.dispute.created", {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}, "pi_1", None),
            ("payout.paid", {"object": "payout", "id": "po_1"}, None, None),
        ],
    )
    def test_a_message_names_what_to_ask_about(
        self, kind: str, thing: dict[str, str | None], payment: str | None, refunded: str | None
    ) -> None:
        raw = event(type=kind, data={"object": thing})
        notice = self.verifier.verify(raw, headers(raw))
        assert (notice.kind, notice.payment_ref, notice.refund_ref) == (kind, payment, refunded)

    def test_a_thin_event_is_kept_though_it_names_nothing(self) -> None:
        thin = {"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter", "created": "2026-03-02T09:00:00Z"}
        raw = json.dumps(thin).encode()
        notice = self.verifier.verify(raw, headers(raw))
        assert (notice.occurred_at, notice.payment_ref) == (NOW, None)

    @pytest.mark.parametrize("secrets", [[], [""], [" "], [SECRET, ""]])
    def test_without_a_secret_nobody_is_believed(self, secrets: list[str]) -> None:
        with pytest.raises(ValueError, match="secret"):
            StripeVerifier(secrets, StandingClock(NOW))
