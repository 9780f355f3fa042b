"""The gateway port on Stripe's payment intents. Every write carries a key made of our own ids, so that asking twice,
today or after a crash, acts once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import stripe

from adapters.stripe.amounts import AmountNotTaken, charged, from_stripe, step_of, to_stripe
from application.ports.payments import (
    CaptureOrder,
    Declined,
    GatewaySilent,
    GatewayUnavailable,
    OpenOrder,
    PaymentGateway,
    RefundOrder,
)
from domain.payments import GatewayPayment, GatewayRefund, PaymentState, RefundState
from domain.shared.errors import NotFound, Refusal
from domain.shared.ids import PaymentId, RefundId
from domain.shared.money import Money

NAME = "stripe"
API_VERSION = "2026-10-28.endive"
"""Pinned: what Stripe answers changes when we say so. The webhook endpoint is to be created with the same version."""

TIMEOUT_SECONDS = 20.0
RETRIES = 2
LONGEST_METADATA = 500

_WITH_CHARGE: Any = {"expand": ["latest_charge"]}
_PAYMENT_STATES = {
    "requires_payment_method": PaymentState.OPEN,
    "requires_confirmation": PaymentState.OPEN,
    "requires_action": PaymentState.REQUIRES_ACTION,
    "processing": PaymentState.PROCESSING,
    "requires_capture": PaymentState.AUTHORISED,
    "succeeded": PaymentState.CAPTURED,
    "canceled": PaymentState.CANCELLED,
}
AUTHORISED_FOR = timedelta(days=7)
"""How long cards hold money when Stripe does not say."""

_REFUND_STATES = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


class StripeGateway(PaymentGateway):
    """Talks to Stripe with `api_key`, or to a counterpart at `api_base`. Close it when the process ends."""

    def __init__(self, *, api_key: str, api_base: str | None = None) -> None:
        self._http = stripe.HTTPXClient(timeout=TIMEOUT_SECONDS)
        self._stripe = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            max_network_retries=RETRIES,
            http_client=self._http,
            base_addresses={"api": api_base, "files": api_base} if api_base else None,
        )

    @property
    def name(self) -> str:
        return NAME

    @property
    def client(self) -> stripe.StripeClient:
        """The one client, for whatever else we ask of Stripe."""
        return self._stripe

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def open(self, order: OpenOrder) -> GatewayPayment:
        try:
            params: Any = {
                "amount": charged(order.amount),
                "currency": order.amount.currency.lower(),
                "automatic_payment_methods": {"enabled": True},
                **({"capture_method": "manual"} if order.capture_later else {}),
                **_shared(order),
                "metadata": {
                    "payment_id": str(order.payment_id),
                    **_payable(order),
                    "attempt": str(order.attempt),
                },
            }
            intent = await self._stripe.v1.payment_intents.create_async(
                params=params,
                options={"idempotency_key": f"payment:{order.payment_id}:v{order.attempt}"},
            )
        except AmountNotTaken as refusal:
            raise Declined("amount_not_taken", refusal.message) from refusal
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return payment_of(intent)

    async def find(self, ref: str) -> GatewayPayment:
        try:
            return payment_of(await self._stripe.v1.payment_intents.retrieve_async(ref, params=_WITH_CHARGE))
        except stripe.StripeError as error:
            raise after_reading(error, "payment", ref) from error

    async def capture(self, order: CaptureOrder) -> GatewayPayment:
        try:
            intent = await self._stripe.v1.payment_intents.capture_async(
                order.payment_ref,
                params={"amount_to_capture": to_stripe(order.amount)},
                options={
                    # Decided anew after a refusal, it is another request.
                    "idempotency_key": f"capture:{order.payment_id}:v{order.attempt}:{order.amount.amount_minor}"
                },
            )
        except AmountNotTaken as refusal:
            raise Declined("amount_not_taken", refusal.message) from refusal
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return payment_of(intent)

    async def cancel(self, ref: str) -> GatewayPayment:
        try:
            return payment_of(await self._stripe.v1.payment_intents.cancel_async(ref))
        except stripe.InvalidRequestError:
            # Cancelled before, or its money already moves: how it stands is the answer, a missing one included.
            return await self.find(ref)
        except stripe.StripeError as error:
            raise after_reading(error, "payment", ref) from error

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        try:
            params: Any = {
                "payment_intent": order.payment_ref,
                "amount": to_stripe(order.amount),
                "reason": "requested_by_customer",
                **_taken_back(order),
                "metadata": {
                    "refund_id": str(order.refund_id),
                    "reason": order.reason[:LONGEST_METADATA],
                },
            }
            refund = await self._stripe.v1.refunds.create_async(
                params=params,
                options={"idempotency_key": f"refund:{order.refund_id}"},
            )
        except AmountNotTaken as refusal:
            raise Declined("amount_not_taken", refusal.message) from refusal
        except stripe.StripeError as error:
            if made := await self._made_before(order):
                return made
            raise after_writing(error) from error
        return refund_of(refund)

    async def find_refund(self, ref: str) -> GatewayRefund:
        try:
            return refund_of(await self._stripe.v1.refunds.retrieve_async(ref))
        except stripe.StripeError as error:
            raise after_reading(error, "refund", ref) from error

    async def _made_before(self, order: RefundOrder) -> GatewayRefund | None:
        """The refund of that order, if Stripe made it and we were not told, or its key has been forgotten since."""
        try:
            made = await self._stripe.v1.refunds.list_async(params={"payment_intent": order.payment_ref, "limit": 100})
            async for refund in made.auto_paging_iter():
                if _id_in(refund.metadata, "refund_id") == order.refund_id:
                    return refund_of(refund)
        except stripe.StripeError:
            return None
        return None


def _payable(order: OpenOrder) -> dict[str, str]:
    """What the money is for, as it is read at Stripe's own desk."""
    if order.invoice_id is not None:
        return {"invoice_id": str(order.invoice_id)}
    return {"booking_id": str(order.booking_id)}


def _shared(order: OpenOrder) -> Any:
    """To whose account it goes, less the fee. It is charged in the platform's name, so that all of it stays in the
    currency it was charged in."""
    if order.share is None:
        return {}
    agreed = order.share.fee
    odd = agreed.amount_minor % step_of(agreed.currency)
    fee = to_stripe(Money(agreed.amount_minor - odd, agreed.currency))
    return {
        "transfer_data": {"destination": order.share.payee_ref},
        **({"application_fee_amount": fee} if fee else {}),
    }


def _taken_back(order: RefundOrder) -> Any:
    """What goes back of a shared payment comes from where it went; asking for it of another is refused by Stripe."""
    return {"reverse_transfer": True, "refund_application_fee": order.fee_back} if order.shared else {}


def payment_of(intent: stripe.PaymentIntent) -> GatewayPayment:
    """What Stripe says of an intent, in our words. One whose bank wants to hear from the card's owner waits for them,
    though Stripe counts it among those that failed."""
    payment_id = _id_in(intent.metadata, "payment_id")
    state = _PAYMENT_STATES.get(intent.status, PaymentState.UNKNOWN)
    error = intent.last_payment_error
    if intent.status == "requires_payment_method" and error is not None:
        asks = getattr(error, "code", None) == "authentication_required"
        state = PaymentState.REQUIRES_ACTION if asks else PaymentState.FAILED
    return GatewayPayment(
        gateway=NAME,
        ref=intent.id,
        payment_id=None if payment_id is None else PaymentId(payment_id),
        attempt=_number_in(intent.metadata, "attempt"),
        state=state,
        amount=money_of(intent.amount, intent.currency, "payment", intent.id),
        captured=money_of(intent.amount_received, intent.currency, "payment", intent.id),
        client_secret=intent.client_secret,
        failure=_failure(error) if state is PaymentState.FAILED else "",
        authorised_until=_authorised_until(intent) if state is PaymentState.AUTHORISED else None,
        **_destination(intent),
    )


def _destination(intent: Any) -> dict[str, Any]:
    destination = getattr(getattr(intent, "transfer_data", None), "destination", None)
    if destination is None:
        return {}
    fee = getattr(intent, "application_fee_amount", None) or 0
    ref = destination if isinstance(destination, str) else destination.id
    return {"payee_ref": ref, "fee": money_of(fee, intent.currency, "payment", intent.id)}


def _authorised_until(intent: stripe.PaymentIntent) -> datetime:
    """When the card lets go: as its network says where the charge came along, else seven days after the opening, which
    is never later than the truth."""
    details = getattr(getattr(intent, "latest_charge", None), "payment_method_details", None)
    before = getattr(getattr(details, "card", None), "capture_before", None)
    if before:
        return datetime.fromtimestamp(before, UTC)
    return datetime.fromtimestamp(intent.created, UTC) + AUTHORISED_FOR


def refund_of(refund: stripe.Refund) -> GatewayRefund:
    """How a refund stands, in our words."""
    refund_id = _id_in(refund.metadata, "refund_id")
    intent = refund.payment_intent
    return GatewayRefund(
        gateway=NAME,
        ref=refund.id,
        refund_id=None if refund_id is None else RefundId(refund_id),
        payment_ref=intent if isinstance(intent, str) or intent is None else intent.id,
        state=_REFUND_STATES.get(refund.status or "", RefundState.UNKNOWN),
        amount=money_of(refund.amount, refund.currency, "refund", refund.id),
        failure=getattr(refund, "failure_reason", None) or "",
    )


def money_of(amount: int, currency: str, what: str, ref: str) -> Money:
    """Stripe's amount; what is in a currency we do not take is nothing of ours."""
    try:
        return from_stripe(amount, currency)
    except AmountNotTaken as foreign:
        raise NotFound.of(what, ref) from foreign


def _failure(error: Any) -> str:
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "failed"


def text_in(metadata: Any, key: str) -> str:
    """The text under that name, empty where there is none."""
    return str(getattr(metadata, key, None) or "")


def _id_in(metadata: Any, key: str) -> UUID | None:
    try:
        return UUID(text_in(metadata, key))
    except ValueError:
        return None


def _number_in(metadata: Any, key: str) -> int:
    value = text_in(metadata, key)
    return int(value) if value.isascii() and value.isdecimal() else 0


def after_writing(error: stripe.StripeError) -> Refusal:
    """What a failed write means: refused for good, not done, or perhaps done."""
    match error:
        case stripe.CardError():
            return Declined(_failure(error.error), error.user_message or "the card was declined")
        case stripe.IdempotencyError():
            return GatewaySilent("Stripe has seen another request under this key", request=error.request_id)
        case stripe.InvalidRequestError():
            return Declined(error.code or "invalid_request", error.user_message or "Stripe refused")
        case stripe.RateLimitError() | stripe.AuthenticationError() | stripe.PermissionError():
            return GatewayUnavailable(f"Stripe refuses us: {error.user_message}", request=error.request_id)
        case stripe.APIConnectionError() if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
            return GatewayUnavailable("Stripe cannot be reached")
        case stripe.APIError() if error.http_status == 409:
            return GatewayUnavailable("Stripe is busy with the same request", request=error.request_id)
    return GatewaySilent("Stripe gave no usable answer", status=error.http_status, request=error.request_id)


def after_reading(error: stripe.StripeError, what: str, ref: str) -> Refusal:
    """What a failed question means: there is no such thing, or nobody answers."""
    if isinstance(error, stripe.InvalidRequestError) and error.http_status == 404:
        return NotFound.of(what, ref)
    return GatewayUnavailable(
        "Stripe does not answer", status=error.http_status, reason=error.code, request=error.request_id
    )
