"""Sessions kept by Auth."""

import asyncio
from contextlib import suppress
from urllib.parse import urlencode

from adapters.supabase.auth.api import AuthApi
from adapters.supabase.auth.reading import granted_of
from application.ports.identity_provider import ForeignSessions, Granted
from domain.identity import BadRefreshToken, BadToken, Provider, SessionOver
from domain.shared.errors import NotFound


class SupabaseSessions(ForeignSessions):
    """One project's sessions."""

    def __init__(self, api: AuthApi) -> None:
        self._api = api
        self._renewing: dict[str, asyncio.Task[Granted]] = {}

    async def sign_in(self, email: str, password: str) -> Granted:
        return await self._token("password", email=email, password=password)

    async def renew(self, refresh_token: str) -> Granted:
        # Two exchanges of one token at once are how a thief looks to Auth; whoever comes second waits for the first.
        # A caller who goes away takes the exchange from nobody else.
        renewing = self._renewing.get(refresh_token)
        if renewing is None:
            renewing = asyncio.ensure_future(self._renew(refresh_token))
            self._renewing[refresh_token] = renewing
            renewing.add_done_callback(lambda _: self._renewing.pop(refresh_token, None))
        return await asyncio.shield(renewing)

    async def _renew(self, refresh_token: str) -> Granted:
        try:
            return await self._token("refresh_token", refresh_token=refresh_token)
        except (SessionOver, NotFound):
            raise BadRefreshToken from None

    async def end(self, proof: str, *, everywhere: bool = False) -> None:
        # A token whose session is gone is refused: then there is nothing left to end.
        with suppress(BadToken, SessionOver, NotFound):
            await self._api.call("POST", "/logout", token=proof, scope="global" if everywhere else "local")

    def departure(self, provider: Provider, *, return_to: str, challenge: str) -> str:
        asked = {
            "provider": provider.value,
            "redirect_to": return_to,
            "code_challenge": challenge,
            "code_challenge_method": "s256",
        }
        return f"{self._api.project.auth}/authorize?{urlencode(asked)}"

    async def finish(self, code: str, verifier: str) -> Granted:
        return await self._token("pkce", auth_code=code, code_verifier=verifier)

    async def _token(self, grant_type: str, **body: str) -> Granted:
        answer = await self._api.call("POST", "/token", dict(body), grant_type=grant_type)
        return granted_of(answer, self._api.project.auth)
