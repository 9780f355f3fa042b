"""Clerk's webhooks, carried by Svix: verified on the raw bytes with any of our secrets, fresh by our own clock."""

import hmac
import json
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from application.ports.clock import Clock
from application.ports.payments import BadSignature, MalformedWebhook, Notice, StaleSignature, WebhookVerifier
from domain.payments import Topic

TOLERANCE = timedelta(seconds=300)
PREFIX = "whsec_"
SHORTEST_SECRET = 16
_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)
_KIND = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_MOST_SIGNATURES = 20


class ClerkVerifier(WebhookVerifier):
    """Believes messages signed with one of `secrets` (several while one is being changed), neither older nor newer than
    the tolerance."""

    def __init__(self, secrets: Sequence[str], clock: Clock, *, tolerance: timedelta = TOLERANCE) -> None:
        self._keys = tuple(_key(secret) for secret in secrets)
        if not self._keys:
            raise ValueError("a verifier without a secret would believe anybody")
        self._clock, self._tolerance = clock, tolerance

    def verify(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        named = {name.lower(): value for name, value in headers.items()}
        id, sent, signed = (named.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature"))
        if not (_ID.fullmatch(id) and _SECONDS.fullmatch(sent) and signed.isascii()):
            raise BadSignature("the message is not signed")
        message = f"{id}.{sent}.".encode() + raw
        # Every signature is held against every key, whichever fits first: how long it takes tells nothing.
        fitting = [
            hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)
            for signature in _signatures(signed)
            for key in self._keys
        ]
        if not any(fitting):
            raise BadSignature("the signature does not fit the message")
        sent_at = datetime.fromtimestamp(int(sent), UTC)
        if abs(self._clock.now() - sent_at) > self._tolerance:
            raise StaleSignature("the message was signed too long ago, or in the future")
        return Notice(external_id=id, kind=_kind(raw), occurred_at=sent_at, topic=Topic.PEOPLE)


def _key(secret: str) -> bytes:
    try:
        encoded = secret.strip().removeprefix(PREFIX)
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (Error, ValueError) as problem:
        raise ValueError("that is no signing secret") from problem
    if len(key) < SHORTEST_SECRET:
        raise ValueError("that signing secret is too short to be one")
    return key


def _signatures(header: str) -> Sequence[bytes]:
    """Those of the version we know; what cannot be read is none."""
    found = []
    for one in header.replace(",v1,", " v1,").replace(", ", " ").split()[:_MOST_SIGNATURES]:
        version, _, encoded = one.partition(",")
        try:
            if version == "v1":
                found.append(b64decode(encoded, validate=True))
        except (Error, ValueError):
            continue
    return found


def _kind(raw: bytes) -> str:
    try:
        kind = json.loads(raw.decode())["type"]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise MalformedWebhook("the message is not an event of Clerk") from problem
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise MalformedWebhook("the message is not an event of Clerk")
    return kind
