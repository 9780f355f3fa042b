"""Google: an OpenID provider. Its id token is verified as if it had come from a stranger."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from httpx_oauth.clients.google import GoogleOAuth2

from adapters.oauth.exchange import Lent, exchange
from adapters.oauth.keys import ProviderKeys
from application.ports.clock import Clock
from application.ports.oauth import OAuthProvider
from domain.identity import Provider, ProviderUnavailable, Stranger

ISSUER = "https://accounts.google.com"
SPELLINGS = (ISSUER, "accounts.google.com")
"""Google writes its own name in two ways; we keep one."""
SCOPES = ["openid", "email", "profile"]
ALGORITHM = "RS256"
LEEWAY = timedelta(seconds=30)
_OPTIONS: Any = {
    # Times are judged by our own clock, below.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["iss", "aud", "sub", "exp", "iat"],
}


class Google(OAuthProvider):
    """Somebody is the `sub` of their account, never an address."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        client: httpx.AsyncClient,
        clock: Clock,
        keys: ProviderKeys,
        site: str = ISSUER,
        token_endpoint: str = "https://oauth2.googleapis.com/token",  # noqa: S107 - an address
    ) -> None:
        self._client_id, self._clock, self._keys = client_id, clock, keys
        self._oauth = _Client(client_id, client_secret, SCOPES)
        self._oauth.lent = Lent(client)
        self._oauth.authorize_endpoint = f"{site}/o/oauth2/v2/auth"
        self._oauth.access_token_endpoint = token_endpoint

    async def departure(self, *, state: str, nonce: str, challenge: str, callback: str) -> str:
        more: Any = {"nonce": nonce, "prompt": "select_account"}
        return await self._oauth.get_authorization_url(
            callback, state=state, code_challenge=challenge, code_challenge_method="S256", extras_params=more
        )

    async def identify(self, *, code: str, verifier: str, nonce: str, callback: str) -> Stranger:
        answer = await exchange(self._oauth, Provider.GOOGLE, code=code, verifier=verifier, callback=callback)
        try:
            told = await self._read(answer["id_token"], nonce)
            email = told.get("email")
            return Stranger(
                issuer=ISSUER,
                subject=told["sub"],
                email=email if isinstance(email, str) else None,
                # Google has been seen to write it as a text.
                email_verified=told.get("email_verified") in (True, "true"),
                name=str(told.get("name") or ""),
                locale=str(told.get("locale") or ""),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError):
            raise ProviderUnavailable(Provider.GOOGLE.value) from None

    async def _read(self, token: str, nonce: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        key = await self._keys.find(kid if isinstance(kid, str) else "")
        told: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=self._client_id, issuer=SPELLINGS, options=_OPTIONS
        )
        now = self._clock.now()
        expires, issued = (datetime.fromtimestamp(told[name], UTC) for name in ("exp", "iat"))
        if now >= expires + LEEWAY or issued > now + LEEWAY or told.get("nonce") != nonce:
            raise jwt.InvalidTokenError
        if told.get("azp", self._client_id) != self._client_id:
            raise jwt.InvalidTokenError
        return told


class _Client(GoogleOAuth2):
    lent: Lent

    def get_httpx_client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return self.lent()
