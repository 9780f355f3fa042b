"""The keys a provider signs with: fetched when one is not known, kept when they cannot be fetched."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from application.ports.clock import Clock

GOOGLE = "https://www.googleapis.com/oauth2/v3/certs"
COOL = timedelta(seconds=30)
"""How long nobody asks again: a name that does not exist must not make us ask for every token that claims it."""
FRESH = timedelta(hours=6)


class ProviderKeys:
    """RSA keys by name. One request at a time asks for them; whoever waited looks again before asking."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, *, address: str = GOOGLE) -> None:
        self._http, self._clock, self._address = client, clock, address
        self._keys: dict[str, RSAPublicKey] = {}
        self._asked_at: datetime | None = None
        self._got_at: datetime | None = None
        self._asking = asyncio.Lock()

    async def find(self, kid: str) -> RSAPublicKey:
        """The key of that name; `InvalidTokenError` when there is none."""
        if not (kid in self._keys and self._is_fresh()):
            async with self._asking:
                if not (kid in self._keys and self._is_fresh()):
                    await self._ask()
        if kid not in self._keys:
            raise jwt.InvalidTokenError("no such key")
        return self._keys[kid]

    def _is_fresh(self) -> bool:
        return self._got_at is not None and timedelta() <= self._clock.now() - self._got_at < FRESH

    async def _ask(self) -> None:
        now = self._clock.now()
        if self._asked_at is not None and timedelta() <= now - self._asked_at < COOL:
            return
        self._asked_at = now
        try:
            response = await self._http.get(self._address)
            response.raise_for_status()
            keys = dict(filter(None, map(_key, response.json()["keys"])))
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return
        if keys:
            self._keys, self._got_at = keys, now


def _key(told: Any) -> tuple[str, RSAPublicKey] | None:
    """One RSA key for signatures, by name; None for anything else that may stand among them."""
    try:
        if told.get("use", "sig") != "sig" or told.get("alg", "RS256") != "RS256":
            return None
        key = jwt.PyJWK(told, algorithm="RS256").key
        return (told["kid"], key) if isinstance(key, RSAPublicKey) and isinstance(told["kid"], str) else None
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
        return None
