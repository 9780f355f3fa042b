"""People at their browsers: each asks over HTTP as a front end does, and keeps a session."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

_KEYS = count(1)


def fresh_key() -> str:
    """A key for a request that must not happen twice."""
    return f'"journey-{next(_KEYS)}"'


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with a browser. Signed in, they renew their session whenever the access token has run out."""

    http: httpx.AsyncClient
    name: str
    email: str = ""
    password: str = ""
    id: str = ""
    tokens: dict[str, Any] | None = None

    async def sign_in(self) -> httpx.Response:
        """With address and password; keeps the session when there is one."""
        credentials = {"email": self.email, "password": self.password}
        answer = await self.http.post("/v1/sessions", json=credentials)
        if answer.status_code == 201:
            self._keep(answer)
        return answer

    async def renew(self) -> httpx.Response:
        """Exchange the refresh token for the next pair."""
        assert self.tokens is not None
        answer = await self.http.post("/v1/sessions/refresh", json={"refresh_token": self.tokens["refresh_token"]})
        if answer.is_success:
            self._keep(answer)
        return answer

    async def get(self, path: str, **asked: Any) -> httpx.Response:
        """Read."""
        return await self._ask("GET", path, params=asked)

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, match: str | None = None
    ) -> httpx.Response:
        """Do something; `key` makes it happen once, `match` names the version it was decided on."""
        return await self._change("POST", path, body, key=key, match=match)

    async def put(self, path: str, body: object = None, *, match: str | None = None) -> httpx.Response:
        """Set something."""
        return await self._change("PUT", path, body, match=match)

    async def patch(self, path: str, body: object, *, match: str) -> httpx.Response:
        """Change part of something."""
        return await self._change("PATCH", path, body, match=match)

    async def delete(self, path: str) -> httpx.Response:
        """Remove something."""
        return await self._change("DELETE", path, None)

    async def everything(self, path: str, **asked: Any) -> list[Any]:
        """A whole listing, page after page."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = (await self.get(path, **{**asked, **more})).raise_for_status().json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    async def _change(
        self, method: str, path: str, body: object, *, key: str | None = None, match: str | None = None
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        headers |= {} if match is None else {"If-Match": match}
        more = {} if body is None else {"json": body}
        return await self._ask(method, path, headers=headers, **more)

    async def _ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        answer = await self.http.request(method, path, headers=self._signed(headers), **more)
        lapsed = answer.status_code == 401 and answer.json()["code"] == "identity.token_expired"
        if lapsed and self.tokens and (await self.renew()).is_success:
            return await self.http.request(method, path, headers=self._signed(headers), **more)
        return answer

    def _keep(self, answer: httpx.Response) -> None:
        self.tokens = answer.json()
        self.id = answer.json()["user_id"]

    def _signed(self, headers: dict[str, str] | None) -> dict[str, str]:
        signature = {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}
        return {**(headers or {}), **signature}
