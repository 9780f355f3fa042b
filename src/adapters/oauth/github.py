"""GitHub: no id token, so that it is asked who the access token belongs to, and which address it has confirmed."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from httpx_oauth.clients.github import GitHubOAuth2

from adapters.oauth.exchange import Lent, exchange
from application.ports.oauth import OAuthProvider
from domain.identity import Provider, ProviderUnavailable, Stranger

ISSUER = "https://github.com"
SCOPES = ["read:user", "user:email"]
AGENT = "guildhall"
"""GitHub answers nobody without a name."""


class GitHub(OAuthProvider):
    """Somebody is the number of their account; their login may pass to another person."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        client: httpx.AsyncClient,
        site: str = ISSUER,
        api: str = "https://api.github.com",
    ) -> None:
        self._http, self._api = client, api
        self._oauth = _Client(client_id, client_secret, SCOPES)
        self._oauth.lent = Lent(client)
        self._oauth.authorize_endpoint = f"{site}/login/oauth/authorize"
        self._oauth.access_token_endpoint = f"{site}/login/oauth/access_token"

    async def departure(self, *, state: str, nonce: str, challenge: str, callback: str) -> str:
        del nonce  # there is no id token that could name it
        return await self._oauth.get_authorization_url(
            callback, state=state, code_challenge=challenge, code_challenge_method="S256"
        )

    async def identify(self, *, code: str, verifier: str, nonce: str, callback: str) -> Stranger:
        del nonce
        answer = await exchange(self._oauth, Provider.GITHUB, code=code, verifier=verifier, callback=callback)
        token = answer["access_token"]
        account, emails = await self._get("/user", token), await self._get("/user/emails", token)
        subject = account.get("id") if isinstance(account, dict) else None
        if not isinstance(subject, int) or isinstance(subject, bool) or not isinstance(emails, list):
            raise ProviderUnavailable(Provider.GITHUB.value)
        address = next((each["email"] for each in emails if _confirmed(each)), None)
        return Stranger(
            issuer=ISSUER,
            subject=str(subject),
            email=address,
            email_verified=address is not None,
            name=str(account.get("name") or account.get("login") or ""),
        )

    async def _get(self, path: str, token: str) -> Any:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": AGENT,
        }
        try:
            response = await self._http.get(self._api + path, headers=headers)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError):
            raise ProviderUnavailable(Provider.GITHUB.value) from None


class _Client(GitHubOAuth2):
    lent: Lent

    def get_httpx_client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return self.lent()


def _confirmed(email: object) -> bool:
    """Whether this is the one address GitHub writes to, and has confirmed."""
    return (
        isinstance(email, dict)
        and email.get("primary") is True
        and email.get("verified") is True
        and isinstance(email.get("email"), str)
    )
