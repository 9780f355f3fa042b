"""Stripe's webhooks: verified on the raw bytes with any of our secrets, fresh by our own clock, and read as hints."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from application.ports.clock import Clock
from application.ports.payments import BadSignature, MalformedWebhook, Notice, StaleSignature, WebhookVerifier
from domain.payments import Topic
from domain.shared.time import instant

HEADER = "stripe-signature"
TOLERANCE = timedelta(seconds=300)
_SIGNED_AT = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,255}")


class StripeVerifier(WebhookVerifier):
    """Believes messages signed with one of `secrets` (several while one is being changed) within five minutes."""

    def __init__(self, secrets: Sequence[str], clock: Clock, *, tolerance: timedelta = TOLERANCE) -> None:
        if not secrets or not all(secret.strip() for secret in secrets):
            raise ValueError("a verifier without a secret would believe anybody")
        self._secrets = tuple(secrets)
        self._clock = clock
        self._tolerance = tolerance

    def verify(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        header = {name.lower(): value for name, value in headers.items()}.get(HEADER, "")
        found = _SIGNED_AT.search(header)
        if found is None or not header.isascii():
            raise BadSignature("the message is not signed")
        if not any(_fits(raw, header, secret) for secret in self._secrets):
            raise BadSignature("the signature does not fit the message")
        if abs(int(self._clock.now().timestamp()) - int(found[1])) > self._tolerance.total_seconds():
            raise StaleSignature("the message was signed too long ago, or in the future")
        return notice_of(raw)


def _fits(raw: bytes, header: str, secret: str) -> bool:
    try:
        # Without a tolerance: Stripe's check asks the machine's clock, and lets the future pass.
        stripe.WebhookSignature.verify_header(raw, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


def notice_of(raw: bytes) -> Notice:
    """What an event says happened, and to what."""
    try:
        event = json.loads(raw.decode())
        thing = (event.get("data") or {}).get("object") or {}
        what = thing.get("object")
        about, about_ref, topic = _about(thing)
        of_money = topic is Topic.MONEY
        return Notice(
            external_id=_word(event["id"]),
            kind=_word(event["type"]),
            occurred_at=_moment(event["created"]),
            payment_ref=_ref(thing.get("id" if what == "payment_intent" else "payment_intent")) if of_money else None,
            refund_ref=_ref(thing.get("id")) if what == "refund" else None,
            topic=topic,
            thing=about,
            thing_ref=_ref(about_ref),
            payee_ref=_ref(event.get("account")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise MalformedWebhook("the message is not a Stripe event") from error


_PAYEES = {"account": "payee", "payout": "payout", "transfer": "transfer", "application_fee": "fee"}
_OF_MONEY = {
    "dispute": "dispute",
    "radar.early_fraud_warning": "warning",
    "setup_intent": "setup",
    "payment_method": "card",
}


def _about(thing: Any) -> tuple[str | None, Any, Topic]:
    """What it is about besides payments and refunds: an invoice is news of its subscription, what went back of a fee
    news of the fee."""
    match thing.get("object"):
        case what if what in _OF_MONEY:
            return _OF_MONEY[what], thing["id"], Topic.MONEY
        case "product" | "price" | "subscription" as what:
            return what, thing["id"], Topic.PLANS
        case "checkout.session" if thing.get("mode") == "subscription":
            return "checkout", thing["id"], Topic.PLANS
        case "invoice":
            parent = (thing.get("parent") or {}).get("subscription_details") or {}
            if subscription := parent.get("subscription") or thing.get("subscription"):
                return "subscription", subscription, Topic.PLANS
        case "account" | "payout" | "transfer" | "application_fee" as what:
            return _PAYEES[what], thing["id"], Topic.PAYEES
        case "fee_refund":
            return "fee", thing["fee"], Topic.PAYEES
    return None, None, Topic.MONEY


def _moment(created: Any) -> datetime:
    """Seconds in a snapshot event, RFC 3339 in a thin one."""
    return instant(
        datetime.fromisoformat(created) if isinstance(created, str) else datetime.fromtimestamp(created, UTC)
    )


def _word(value: Any) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(value)
    return str(value)


def _ref(value: Any) -> str | None:
    return None if value is None else _word(value)
