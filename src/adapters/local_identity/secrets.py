"""Secrets derived from ids with one key of the house: a keyed hash nobody else can compute, the same each time."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from application.ports.identity import OneTimeSecrets, RefreshSecrets
from application.ports.oauth import FlowSecret, FlowSecrets
from domain.shared.ids import OAuthFlowId, OneTimeTokenId, RefreshTokenId

SHORTEST_KEY = 32


class _Derived:
    """HMAC-SHA256 over a label and an id; the label keeps the secrets of one kind from being those of another."""

    def __init__(self, key: str, *, label: str) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a key has at least {SHORTEST_KEY} characters")
        self._key = key.encode()
        self._label = label.encode() + b"\0"

    def of(self, id: UUID) -> str:
        drawn = hmac.digest(self._key, self._label + id.bytes, "sha256")
        return urlsafe_b64encode(drawn).rstrip(b"=").decode()


class DerivedOneTimeSecrets(OneTimeSecrets):
    """What a mailed link carries: 256 bits in 43 URL-safe characters."""

    def __init__(self, key: str) -> None:
        self._derived = _Derived(key, label="one-time token")

    def secret(self, token_id: OneTimeTokenId) -> str:
        return self._derived.of(token_id)

    def digest(self, secret: str) -> str:
        return _digest(secret)


class DerivedRefreshSecrets(RefreshSecrets):
    """What a client holds of a refresh token: 256 bits in 43 URL-safe characters."""

    def __init__(self, key: str) -> None:
        self._derived = _Derived(key, label="refresh token")

    def secret(self, token_id: RefreshTokenId) -> str:
        return self._derived.of(token_id)

    def digest(self, secret: str) -> str:
        return _digest(secret)


class DerivedFlowSecrets(FlowSecrets):
    """What a sign-in by way of a provider carries there and back, each kind under a label of its own."""

    def __init__(self, key: str) -> None:
        self._derived = {use: _Derived(key, label=f"oauth {use.value}") for use in FlowSecret}

    def secret(self, flow_id: OAuthFlowId, use: FlowSecret) -> str:
        return self._derived[use].of(flow_id)

    def digest(self, secret: str) -> str:
        return _digest(secret)

    def challenge(self, verifier: str) -> str:
        digested = sha256(verifier.encode("utf-8", "surrogatepass")).digest()
        return urlsafe_b64encode(digested).rstrip(b"=").decode()


def _digest(secret: str) -> str:
    """SHA-256 in hexadecimal. What was shown may be any text; a lone surrogate in it is no reason to stumble."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
