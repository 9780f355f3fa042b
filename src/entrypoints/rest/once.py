"""Commands, each carried out once: under the asker's own Idempotency-Key, or under one made up for the run."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response

from application.commands import Command, Perform
from domain.shared.actors import Actor
from domain.shared.aggregate import Aggregate
from entrypoints.rest.asking import Anybody
from entrypoints.rest.errors import BadRequest
from entrypoints.rest.versions import tagged

T = TypeVar("T")


class Once:
    """Carries out this request's command once: a retry with the same Idempotency-Key finds its first answer."""

    def __init__(
        self, request: Request, response: Response, actor: Actor, key: str | None, *, streamed: bool = False
    ) -> None:
        self._request, self._response, self._actor, self._key = request, response, actor, key
        self._streamed = streamed

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer of `call`, or of the request that came before under the same key."""
        perform: Perform = self._request.app.state.perform
        outcome = await perform(await self._command(perform), call)
        if outcome.replayed:
            self._response.headers["Idempotent-Replayed"] = "true"
        if isinstance(outcome.answer, Aggregate):
            tagged(self._response, outcome.answer)
        return outcome.answer

    async def then(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer of what follows from the first: something that may be done again and again, and has one effect."""
        perform: Perform = self._request.app.state.perform
        operation = f"{self._request.scope['route'].unique_id}-then"
        answer = (await perform(perform.unkeyed(self._actor.principal, operation), call)).answer
        if isinstance(answer, Aggregate):
            tagged(self._response, answer)
        return answer

    async def _command(self, perform: Perform) -> Command:
        operation = str(self._request.scope["route"].unique_id)
        if self._key is None:
            return perform.unkeyed(self._actor.principal, operation)
        path = self._request.scope["path"].encode()
        version = self._request.headers.get("if-match", "").encode()
        body = self._announced() if self._streamed else await self._request.body()
        digest = hashlib.sha256(path + b"\0" + version + b"\0" + body).hexdigest()
        return Command(
            principal=self._actor.principal,
            operation=operation,
            key=self._key,
            fingerprint=digest,
            looks_first=False,
        )

    def _announced(self) -> bytes:
        """What is said of a body that is not read before the command: its type, its length, and the query."""
        headers = self._request.headers
        told = (headers.get("content-type", ""), headers.get("content-length", ""))
        return "\0".join(told).encode() + b"\0" + bytes(self._request.scope["query_string"])


def _key(header: str | None) -> str | None:
    """The key of an Idempotency-Key header: a structured-field string, or bare."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise BadRequest("Idempotency-Key takes 1 to 255 printable characters", field="idempotency-key")
    return key


_DOC = "Your own key for this request; send it again with the same body to find out what became of it"


async def once(
    request: Request,
    response: Response,
    actor: Anybody,
    idempotency_key: Annotated[str | None, Header(description=_DOC)] = None,
) -> Once:
    """For writes where a key is welcome."""
    return Once(request, response, actor, _key(idempotency_key))


async def once_by_key(
    request: Request,
    response: Response,
    actor: Anybody,
    idempotency_key: Annotated[str | None, Header(description=f"{_DOC}. Required here.")] = None,
) -> Once:
    """For writes that must not happen twice: the key is required."""
    if idempotency_key is None:
        raise BadRequest("this needs an Idempotency-Key header", field="idempotency-key")
    return Once(request, response, actor, _key(idempotency_key))


async def once_streamed(
    request: Request,
    response: Response,
    actor: Anybody,
    idempotency_key: Annotated[str | None, Header(description=_DOC)] = None,
) -> Once:
    """For writes whose body comes in pieces: it is told by what is announced of it."""
    return Once(request, response, actor, _key(idempotency_key), streamed=True)


async def once_unkeyed(request: Request, response: Response, actor: Anybody) -> Once:
    """For accounts and sessions: their answers are secrets, and are not kept to be told again."""
    return Once(request, response, actor, None)


Commanded = Annotated[Once, Depends(once)]
CommandedByKey = Annotated[Once, Depends(once_by_key)]
CommandedStreamed = Annotated[Once, Depends(once_streamed)]
CommandedUnkeyed = Annotated[Once, Depends(once_unkeyed)]
