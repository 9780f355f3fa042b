"""How the simulated gateway signs what it says: `t=<unix>,v1=<hex HMAC-SHA256 over "t.body">`, several v1 while a
secret is being changed."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from application.ports.clock import Clock
from application.ports.payments import BadSignature, MalformedWebhook, Notice, StaleSignature, WebhookVerifier
from domain.payments import Topic
from domain.shared.time import instant

HEADER = "simulated-signature"
TOLERANCE = timedelta(seconds=300)
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_OF_PLANS = frozenset({"checkout", "subscription", "product", "price"})
_SECONDS = re.compile(r"[0-9]{1,12}")


def signed(raw: bytes, secret: str, at: datetime) -> str:
    """The header's value for this body, signed at that moment."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_mac(raw, secret, str(seconds))}"


class SimulatedVerifier(WebhookVerifier):
    """Verifies with any of the secrets, within five minutes of our own clock, past and future."""

    def __init__(self, secrets: Sequence[str], clock: Clock, *, tolerance: timedelta = TOLERANCE) -> None:
        if not secrets or not all(secrets):
            raise ValueError("a verifier without a secret would believe anybody")
        self._secrets = tuple(secrets)
        self._clock = clock
        self._tolerance = tolerance

    def verify(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        seconds, macs = _parts({name.lower(): value for name, value in headers.items()}.get(HEADER, ""))
        expected = [_mac(raw, secret, seconds).encode() for secret in self._secrets]
        if not any(hmac.compare_digest(mac.encode(), good) for mac in macs for good in expected):
            raise BadSignature("the signature does not fit the message")
        if abs(int(self._clock.now().timestamp()) - int(seconds)) > self._tolerance.total_seconds():
            raise StaleSignature("the message was signed too long ago, or in the future")
        return notice_of(raw)


def _parts(header: str) -> tuple[str, list[str]]:
    pairs = [part.partition("=") for part in header.split(",")]
    seconds = next((value for key, _, value in pairs if key == "t"), "")
    if not _SECONDS.fullmatch(seconds):
        raise BadSignature("the message is not signed")
    return seconds, [value for key, _, value in pairs if key == "v1"]


def _mac(raw: bytes, secret: str, seconds: str) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + raw, sha256).hexdigest()


def notice_of(raw: bytes) -> Notice:
    """What a message says."""
    try:
        body = json.loads(raw.decode())
        return Notice(
            external_id=_word(body["id"]),
            kind=_word(body["kind"]),
            occurred_at=instant(datetime.fromtimestamp(body["occurred_at"], UTC)),
            payment_ref=None if body.get("payment") is None else _word(body["payment"]),
            refund_ref=None if body.get("refund") is None else _word(body["refund"]),
            topic=_topic(body.get("thing")),
            thing=None if body.get("thing") is None else _word(body["thing"]),
            thing_ref=None if body.get("thing_ref") is None else _word(body["thing_ref"]),
            payee_ref=None if body.get("payee") is None else _word(body["payee"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise MalformedWebhook("the message is not one of the simulated gateway's") from error


def _topic(thing: object) -> Topic:
    if thing in ("payee", "payout", "transfer", "fee"):
        return Topic.PAYEES
    return Topic.PLANS if thing in _OF_PLANS else Topic.MONEY


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(value)
    return value
