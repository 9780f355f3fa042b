"""The dispute desk on Stripe: disputes with what they moved, early fraud warnings, and evidence with its document."""

from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

import stripe

from adapters.stripe.amounts import AmountNotTaken, from_stripe
from adapters.stripe.gateway import NAME, StripeGateway, after_reading, after_writing, money_of, text_in
from application.ports.disputes import DisputeDesk, Document, EvidenceOrder
from domain.payments import DisputeState, GatewayDispute, GatewayWarning
from domain.shared.errors import NotFound
from domain.shared.money import Money

_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""Stripe's words for ours. One we do not know yet is looked at by somebody at Stripe, as far as we can tell."""

_FIELDS = {
    "explanation": "uncategorized_text",
    "service": "product_description",
    "service_date": "service_date",
    "customer_name": "customer_name",
    "customer_email": "customer_email_address",
    "cancellation_policy": "cancellation_policy_disclosure",
}
_ANSWERED_BY = "guildhall_dispute_id"


class StripeDisputes(DisputeDesk):
    """Asks the Stripe that the gateway talks to, over its connections."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._stripe = gateway.client

    async def find_dispute(self, ref: str) -> GatewayDispute:
        return _dispute(await self._read(ref))

    async def find_warning(self, ref: str) -> GatewayWarning:
        try:
            warning = await self._stripe.v1.radar.early_fraud_warnings.retrieve_async(ref)
        except stripe.StripeError as error:
            raise after_reading(error, "warning", ref) from error
        return GatewayWarning(
            gateway=NAME,
            ref=warning.id,
            payment_ref=_payment_ref(warning, "warning"),
            reason=warning.fraud_type,
            actionable=warning.actionable,
            warned_at=datetime.fromtimestamp(warning.created, UTC),
        )

    async def answer(self, order: EvidenceOrder) -> GatewayDispute:
        evidence: dict[str, Any] = {
            theirs: said for ours, theirs in _FIELDS.items() if (said := getattr(order.evidence, ours))
        }
        try:
            if order.document is not None:
                evidence["uncategorized_file"] = await self._upload(order, order.document)
            params: Any = {"evidence": evidence, "submit": True, "metadata": {_ANSWERED_BY: str(order.dispute_id)}}
            dispute = await self._stripe.v1.disputes.update_async(
                order.dispute_ref,
                params=params,
                options={"idempotency_key": f"evidence:{order.dispute_id}:{_told(order)}"},
            )
        except stripe.InvalidRequestError as error:
            # Perhaps it is in already, and we were not told or its key has been forgotten since.
            known = await self._read(order.dispute_ref)
            if known.evidence_details.submission_count and text_in(known.metadata, _ANSWERED_BY):
                return _dispute(known)
            raise after_writing(error) from error
        except stripe.StripeError as error:
            raise after_writing(error) from error
        return _dispute(dispute)

    async def _read(self, ref: str) -> stripe.Dispute:
        try:
            return await self._stripe.v1.disputes.retrieve_async(ref)
        except stripe.StripeError as error:
            raise after_reading(error, "dispute", ref) from error

    async def _upload(self, order: EvidenceOrder, document: Document) -> str:
        file = BytesIO(document.content)
        file.name = document.name
        uploaded = await self._stripe.v1.files.create_async(
            params={"purpose": "dispute_evidence", "file": file},
            options={"idempotency_key": f"evidence-file:{order.dispute_id}:{_told(order)}"},
        )
        return uploaded.id


def _dispute(dispute: stripe.Dispute) -> GatewayDispute:
    amount = money_of(dispute.amount, dispute.currency, "dispute", dispute.id)
    moved = dispute.balance_transactions
    due_by = dispute.evidence_details.due_by
    return GatewayDispute(
        gateway=NAME,
        ref=dispute.id,
        payment_ref=_payment_ref(dispute, "dispute"),
        state=_STATES.get(dispute.status, DisputeState.UNDER_REVIEW),
        reason=dispute.reason,
        amount=amount,
        taken=_sum(amount, [-each.amount for each in moved], [each.currency for each in moved]),
        returned=_sum(amount, [each.amount for each in moved], [each.currency for each in moved]),
        fee=_fee(amount, moved, 1),
        fee_returned=_fee(amount, moved, -1),
        due_at=None if due_by is None else datetime.fromtimestamp(due_by, UTC),
        opened_at=datetime.fromtimestamp(dispute.created, UTC),
    )


def _sum(disputed: Money, amounts: list[int], currencies: list[str]) -> Money:
    """What was moved in that direction, in the currency of the dispute. A balance kept in another currency moves its
    own amounts; then all that is disputed was moved, or nothing."""
    there = [(amount, currency) for amount, currency in zip(amounts, currencies, strict=True) if amount > 0]
    nothing = Money.zero(disputed.currency)
    if any(currency.upper() != disputed.currency for _, currency in there):
        return disputed
    return sum((from_stripe(amount, currency) for amount, currency in there), start=nothing)


def _fee(disputed: Money, moved: list[stripe.BalanceTransaction], sign: int) -> Money:
    """What Stripe charged (or gave back, with the sign the other way), in the currency of the balance."""
    currency = moved[0].currency if moved else disputed.currency
    try:
        return from_stripe(sum(max(sign * each.fee, 0) for each in moved), currency)
    except AmountNotTaken:
        return Money.zero(disputed.currency)  # in a currency we keep no books in


def _payment_ref(thing: stripe.Dispute | stripe.radar.EarlyFraudWarning, what: str) -> str:
    intent = getattr(thing, "payment_intent", None)
    if intent is None:
        raise NotFound.of(what, thing.id)  # about a charge that no payment of ours made
    return intent if isinstance(intent, str) else str(intent.id)


def _told(order: EvidenceOrder) -> str:
    """The same evidence is one order; mended, it is another."""
    document = order.document.content if order.document else b""
    return sha256(repr(order.evidence).encode() + document).hexdigest()[:32]
