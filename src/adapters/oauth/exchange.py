"""What both providers share: a code becomes a token, and whatever goes wrong on the way becomes a refusal."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_oauth.oauth2 import BaseOAuth2, GetAccessTokenError

from domain.identity import Provider, ProviderDeclined, ProviderUnavailable

NEVERS = frozenset({"bad_verification_code", "invalid_grant", "access_denied", "expired_token"})
"""What a token endpoint says of a code that is no good: the person has to begin again."""


class Lent:
    """Lends one long-lived client to a library that would make and close one each time."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[httpx.AsyncClient]:
        yield self._client


async def exchange(
    oauth: BaseOAuth2[Any], provider: Provider, *, code: str, verifier: str, callback: str
) -> Mapping[str, Any]:
    """The provider's answer to the code; it holds an access token. GitHub says no with a 200, so that the answer itself
    is looked at, whatever its number."""
    try:
        answer: Mapping[str, Any] = await oauth.get_access_token(code, callback, code_verifier=verifier)
    except GetAccessTokenError as error:
        if error.response is not None and _said(error.response) in NEVERS:
            raise ProviderDeclined(provider) from None
        raise ProviderUnavailable(provider.value) from None
    except (httpx.HTTPError, ValueError, TypeError):
        raise ProviderUnavailable(provider.value) from None
    if answer.get("error") in NEVERS:
        raise ProviderDeclined(provider)
    if "error" in answer or not isinstance(answer.get("access_token"), str):
        raise ProviderUnavailable(provider.value)
    return answer


def _said(response: httpx.Response) -> object:
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("error") if isinstance(body, dict) else None
