"""People with a client: they sign in, ask, lose answers, and ask again as people do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson

from entrypoints.container.simulating import ConnectionLost, Dice
from entrypoints.simulation.history import Asked
from entrypoints.simulation.town import PASSWORD, Part
from entrypoints.simulation.wire import Answer, Headers

if TYPE_CHECKING:
    from entrypoints.simulation.world import World

TRIES = 6
LOOKS_EVERY = 900.0
_AGAIN = frozenset({"identity.token_expired", "identity.session_over", "identity.bad_token"})


class Lost(Exception):
    """Nobody ever answered, however often it was asked."""


class Person:
    """Somebody of the cast at their own device. `dice` decide every choice within one step."""

    def __init__(self, world: World, part: Part, *, address: str) -> None:
        self.world, self.part, self.address = world, part, address
        self.name, self.email, self.password = part.name, part.email, PASSWORD
        self.user_id = ""
        self.access = self.refresh = ""
        self.good_until = 0.0
        self.talks: list[dict[str, Any]] = []
        self.promoted = False
        self.places: list[str] = []
        """Organizations one belongs to."""
        self._looked: dict[str, float] = {}
        self.old_tokens: list[str] = []
        """Refresh tokens that were exchanged; thieves find them."""

    async def get(self, path: str, **query: Any) -> Any:
        """What is there; None when it may not be seen, or nobody answers."""
        answer = await self.ask("GET", path, query=query or None)
        return answer.body if answer is not None and answer.fine else None

    async def post(self, path: str, body: Any = None, *, key: str | None = None, **said: Any) -> Answer | None:
        """Ask for something to be done."""
        return await self.ask("POST", path, body, key=key, **said)

    async def wish(self, table: str, path: str, body: dict[str, Any], mark: str, *, field: str) -> Answer | None:
        """Ask for something that leaves a row with this mark, until the answer is known or patience ends."""
        asked = self.world.history.wish(self.name, table, mark)
        return await self.ask("POST", path, {**body, field: f"{mark} {body.get(field, '')}"}, key=mark, asked=asked)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        version: str | None = None,
        query: dict[str, Any] | None = None,
        asked: Asked | None = None,
        tries: int = TRIES,
        signed: bool = True,
    ) -> Answer | None:
        """Ask until there is an answer; None when there never was one. Without a key only reads are repeated."""
        raw = b"" if body is None else orjson.dumps(body)
        renewed = False
        for attempt in range(tries):
            if signed and not await self._ready():
                return None
            headers = self._headers(body is not None, key, version, signed)
            try:
                answer = await self.world.request(self, method, path, query=query, headers=headers, body=raw)
            except ConnectionLost:
                answer = None
            if asked is not None:
                _remember(asked, answer)
            if answer is not None and answer.status == 401 and signed and not renewed and answer.code in _AGAIN:
                renewed = True
                if asked is not None:
                    asked.refused -= 1
                await self.renew()
                continue
            if answer is not None and answer.status != 503:
                self.world.history.answered(self.name, key, method, path, raw, answer)
                return answer
            if key is None and method not in ("GET", "DELETE", "PUT"):
                return answer
            await asyncio.sleep(0.2 * 4.0**attempt * (0.5 + self.world.draw()))
        return None

    async def _ready(self) -> bool:
        """Signed in, with a token that still lasts; now and then one only finds out by being refused."""
        if not self.access:
            return await self.sign_in()
        if self.world.loop.time() > self.good_until and self.world.draw() < 0.8:
            await self.renew()
        return bool(self.access)

    async def sign_in(self) -> bool:
        """With address and password; whether it worked."""
        if not self.email:
            return False
        form = {"email": self.email, "password": self.password}
        for attempt in range(TRIES):
            answer = await self.ask("POST", "/v1/sessions", form, signed=False)
            if answer is not None and answer.status != 503:
                if answer.fine:
                    self._take(answer.body)
                return answer.fine
            await asyncio.sleep(2.0**attempt)
        return False

    async def renew(self) -> bool:
        """Exchange the refresh token, or sign in again."""
        shown = self.refresh
        if not shown:
            return await self.sign_in()
        answer = await self.ask("POST", "/v1/sessions/refresh", {"refresh_token": shown}, signed=False)
        if answer is not None and answer.fine:
            if self.refresh == shown:
                self.old_tokens.append(shown)
                self._take(answer.body)
            return True
        if answer is not None and answer.status == 401 and self.refresh == shown:
            self.access = self.refresh = ""
            return await self.sign_in()
        return bool(self.access)

    def looks_again(self, at: str) -> bool:
        """Whether it is a while since one looked there last; if so one does now."""
        now = self.world.loop.time()
        again = now >= self._looked.get(at, 0.0)
        if again:
            self._looked[at] = now + LOOKS_EVERY
        return again

    async def believed(self, token: str) -> bool:
        """Whether an access token of one's own is let in, whatever is at hand otherwise."""
        answer = await self.world.probe(self, token)
        return answer is not None and answer.fine

    def forget(self) -> None:
        """No longer signed in."""
        self.access = self.refresh = ""

    def _take(self, tokens: dict[str, Any]) -> None:
        self.access, self.refresh, self.user_id = tokens["access_token"], tokens["refresh_token"], tokens["user_id"]
        self.good_until = self.world.loop.time() + tokens["expires_in"] - 5

    def _headers(self, body: bool, key: str | None, version: str | None, signed: bool) -> Headers:
        headers: Headers = [(b"content-type", b"application/json")] if body else []
        if signed:
            headers.append((b"authorization", b"Bearer " + self.access.encode()))
        if key is not None:
            headers.append((b"idempotency-key", f'"{key}"'.encode()))
        if version is not None:
            headers.append((b"if-match", version.encode()))
        return headers


def _remember(asked: Asked, answer: Answer | None) -> None:
    if answer is None or answer.status == 503:
        asked.unknown += 1
    elif answer.fine:
        asked.acknowledged.add(answer.body["id"])
    else:
        asked.refused += 1


Act = Callable[[Person, Dice, str], Awaitable[None]]
"""One act of somebody: the dice of its step, and a mark nothing else in this world carries."""


def some(draw: Dice, things: Any) -> Any:
    """One of them, by chance; None of none."""
    return things[int(draw.random() * len(things))] if things else None
