"""Stripe's own records: events it could not deliver, intents, refunds, balance transactions and payouts,
the newest first."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe

from adapters.stripe.amounts import AmountNotTaken, from_stripe
from adapters.stripe.gateway import NAME, StripeGateway, after_reading, payment_of, refund_of, text_in
from adapters.stripe.payees import payout_of
from adapters.stripe.webhooks import notice_of
from application.ports.payments import MalformedWebhook
from application.ports.reconciling import GatewayRecords, Movement, Sheet, Unheard
from domain.payments import GatewayPayment, GatewayPayout, GatewayRefund, SourceKind
from domain.shared.errors import NotFound
from domain.shared.time import Span

T = TypeVar("T")
PAGE = 100
_KINDS = {
    "charge": SourceKind.CAPTURE,
    "payment": SourceKind.CAPTURE,
    "refund": SourceKind.REFUND,
    "payment_refund": SourceKind.REFUND,
    "refund_failure": SourceKind.REFUND_RETURNED,
}
"""Balance transactions that our ledger has to have. Fees, payouts and transfers are between Stripe and the account."""


class StripeRecords(GatewayRecords):
    """Asks the Stripe that the gateway talks to, over its connections."""

    def __init__(self, gateway: StripeGateway, *, page: int = PAGE) -> None:
        self._stripe, self._page = gateway.client, page

    @property
    def name(self) -> str:
        return NAME

    async def unheard(self, span: Span, after: str | None) -> Sheet[Unheard]:
        params: Any = {**self._asked(span, after), "delivery_success": False}
        found = await _answer(self._stripe.v1.events.list_async(params=params), "events")
        return _sheet(found, [told for event in found.data if (told := _unheard(event)) is not None])

    async def payments(self, span: Span, after: str | None) -> Sheet[GatewayPayment]:
        params = self._asked(span, after)
        found = await _answer(self._stripe.v1.payment_intents.list_async(params=params), "payments")
        ours = [intent for intent in found.data if not await self._of_a_plan(intent, intent.id)]
        return _sheet(found, _read(ours, payment_of))

    async def refunds(self, span: Span, after: str | None) -> Sheet[GatewayRefund]:
        params = self._asked(span, after)
        found = await _answer(self._stripe.v1.refunds.list_async(params=params), "refunds")
        return _sheet(found, _read(found.data, refund_of))

    async def movements(self, span: Span, after: str | None) -> Sheet[Movement]:
        params: Any = {**self._asked(span, after), "expand": ["data.source"]}
        found = await _answer(self._stripe.v1.balance_transactions.list_async(params=params), "movements")
        return _sheet(found, [moved async for moved in self._moved(found.data)])

    async def payouts(self, payee_ref: str, span: Span, after: str | None) -> Sheet[GatewayPayout]:
        params = self._asked(span, after)
        try:
            found = await _answer(
                self._stripe.v1.payouts.list_async(params=params, options={"stripe_account": payee_ref}), "payouts"
            )
        except NotFound:
            return Sheet([])
        return _sheet(found, _read(found.data, payout_of))

    def _asked(self, span: Span, after: str | None) -> Any:
        created = {"gte": int(span.starts_at.timestamp()), "lt": int(span.ends_at.timestamp())}
        return {"created": created, "limit": self._page, **({"starting_after": after} if after else {})}

    async def _moved(self, transactions: Sequence[Any]) -> AsyncIterator[Movement]:
        for transaction in transactions:
            kind, source = _KINDS.get(transaction.type), transaction.source
            if kind is None or source is None or isinstance(source, str):
                continue
            intent = _ref(getattr(source, "payment_intent", None))
            if kind is SourceKind.CAPTURE and intent and await self._of_a_plan(source, intent):
                continue
            try:
                # What moved is in the currency of the sale; the transaction's own may be the account's.
                amount = from_stripe(getattr(source, "amount_captured", source.amount), source.currency)
            except AmountNotTaken:
                continue
            ref = (intent or source.id) if kind is SourceKind.CAPTURE else source.id
            yield Movement(kind=kind, ref=ref, payment_ref=intent, amount=amount)

    async def _of_a_plan(self, thing: Any, intent: str) -> bool:
        """Whether money that does not carry our id is that of an invoice of Stripe's own, as subscriptions are paid."""
        if text_in(thing.metadata, "payment_id"):
            return False
        params: Any = {"payment": {"type": "payment_intent", "payment_intent": intent}, "limit": 1}
        found = await _answer(self._stripe.v1.invoice_payments.list_async(params=params), "invoices")
        return bool(found.data)


async def _answer(asking: Any, what: str) -> Any:
    try:
        return await asking
    except stripe.PermissionError as error:
        # So Stripe says of an account that is gone, or has taken its permission back.
        raise NotFound.of(what, "all") from error
    except stripe.StripeError as error:
        raise after_reading(error, what, "all") from error


def _sheet(found: Any, items: Sequence[T]) -> Sheet[T]:
    last = found.data[-1] if found.data else None
    reached = datetime.fromtimestamp(last.created, UTC) if last else None
    return Sheet(items, last.id if last and found.has_more else None, reached)


def _read(things: Sequence[Any], read: Callable[[Any], T]) -> list[T]:
    """Those of them that are in a currency we take; others cannot be ours."""
    found = []
    for thing in things:
        try:
            found.append(read(thing))
        except NotFound:
            continue
    return found


def _unheard(event: Any) -> Unheard | None:
    """As it would have come; what nobody could read is not ours to hear."""
    raw = json.dumps(event.to_dict(), separators=(",", ":"), default=str)
    try:
        return Unheard(notice=notice_of(raw.encode()), payload=raw)
    except MalformedWebhook:
        return None


def _ref(thing: Any) -> str | None:
    return thing if thing is None or isinstance(thing, str) else str(thing.id)
