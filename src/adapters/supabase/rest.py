"""A project's PostgREST: asked as the house, as anybody, or for a user, with patience where that is safe."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import httpx
from postgrest import AsyncPostgrestClient

from adapters.persistence.schema.tables import Row
from adapters.supabase.errors import EXPIRED, STALE, Said, judged
from adapters.supabase.project import Project
from adapters.supabase.questions import Question
from adapters.supabase.tokens import ClientTokens
from adapters.supabase.values import received

T = TypeVar("T")
Ask = Callable[[AsyncPostgrestClient], Awaitable[T]]

PATIENCE, PAUSE = 5.0, 0.1
"""Seconds in which PostgREST has to learn of a schema that changed, and between two looks."""
_LIMITS = httpx.Timeout(30, connect=5, pool=10)
_UTC = {"Prefer": "timezone=UTC", "User-Agent": "guildhall"}


class Rest:
    """Connections to one project. Nobody signs in on them: every request says for itself who asks."""

    def __init__(
        self,
        project: Project,
        tokens: ClientTokens,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._project, self._tokens, self._patience = project, tokens, patience
        hooks = {"response": [judged]}
        self._http = httpx.AsyncClient(transport=transport, timeout=_LIMITS, event_hooks=hooks)
        self._house = self._client(project.as_house())
        self._public = self._client(project.as_client())

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def as_house(self, ask: Ask[T], *, again: bool) -> T:
        """The answer the house gets. `again` says that it may be asked twice."""
        return await self._patiently(lambda: ask(self._house), again=again)

    async def as_anybody(self, ask: Ask[T]) -> T:
        """The answer anybody gets."""
        return await self._patiently(lambda: ask(self._public), again=True)

    async def as_user(self, user_id: UUID, ask: Ask[T]) -> T:
        """The answer this user gets. A token that has run out on its way is replaced once."""

        async def asked() -> T:
            return await ask(self._client(self._project.as_client(self._tokens.of(user_id))))

        try:
            return await self._patiently(asked, again=True)
        except Said as said:
            if said.code not in EXPIRED:
                raise
        self._tokens.forget(user_id)
        return await self._patiently(asked, again=True)

    async def _patiently(self, ask: Callable[[], Awaitable[T]], *, again: bool) -> T:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while True:
            try:
                return await ask()
            except Said as said:
                if said.code not in STALE or loop.time() > until:
                    raise
                await asyncio.sleep(PAUSE)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                # A connection that rested may have been closed on the other side without our knowing.
                if not again:
                    raise
                again = False

    def _client(self, headers: dict[str, str]) -> AsyncPostgrestClient:
        return AsyncPostgrestClient(
            self._project.rest, headers={**headers, **_UTC}, http_client=self._http, retry_enabled=False
        )


def rows(question: Question) -> Ask[Sequence[Row]]:
    """Asks for the rows that answer this."""

    async def ask(client: AsyncPostgrestClient) -> Sequence[Row]:
        request = client.from_(question.source).select(*question.columns)
        for column in question.orders():
            request = request.order(column, desc=question.order.descending)
        if question.limit is not None:
            request = request.limit(question.limit)
        for column, operator, value in question.filters():
            request = request.filter(column, operator, value) if operator else request.or_(value)
        found: list[Any] = (await request.execute()).data
        return [received(question.source, row) for row in found]

    return ask


def number(question: Question) -> Ask[int]:
    """Asks how many rows answer this."""

    async def ask(client: AsyncPostgrestClient) -> int:
        request = client.from_(question.source).select(question.tie, head=True)
        # What the client always prefers would take the place of what is preferred here.
        request.request.headers["Prefer"] = f"{_UTC['Prefer']},count=exact"
        for column, operator, value in question.filters():
            request = request.filter(column, operator, value) if operator else request.or_(value)
        return int((await request.execute()).count or 0)

    return ask


def call(function: str, arguments: dict[str, Any]) -> Ask[Any]:
    """Calls a function of the database."""

    async def ask(client: AsyncPostgrestClient) -> Any:
        return (await client.rpc(function, arguments).execute()).data

    return ask
