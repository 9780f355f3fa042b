"""How much may be sent: a bound on every body, announced or not, before it fills the memory. Routes that take a body in
pieces, and keep none of them, have a bound of their own."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.rest.errors import problem


class BoundedBody:
    """Refuses bodies larger than this server takes; `also` are methods and paths where it takes more."""

    def __init__(self, app: ASGIApp, *, most: int, also: Sequence[tuple[str, re.Pattern[str], int]] = ()) -> None:
        self._app, self._most, self._also = app, most, tuple(also)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, announced, in_pieces = self._bound(scope), b"0", False
        for name, value in scope["headers"]:
            if name == b"content-length":
                announced = value
            elif name == b"transfer-encoding":
                in_pieces = True
        if not announced.isdigit() or int(announced[:20]) > most:
            await self._refuse(scope, send, most)
        elif in_pieces:
            await self._count(scope, receive, send, most)
        else:
            # The server lets nobody send more than they announced.
            await self._app(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Take a body whose length nobody announced, as long as it is not too long."""
        taken = 0
        refused = False

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def watched(message: Message) -> None:
            if not refused:
                await send(message)

        try:
            await self._app(scope, counted, watched)
        except Exception:
            if not refused:
                raise
        if refused:
            await self._refuse(scope, send, most)

    def _bound(self, scope: Scope) -> int:
        method, path = scope["method"], scope["path"]
        larger = (most for verb, where, most in self._also if verb == method and where.fullmatch(path))
        return max(self._most, next(larger, 0))

    async def _refuse(self, scope: Scope, send: Send, most: int) -> None:
        said = f"a body has at most {most} bytes"
        answer = problem(Request(scope), status=413, code="too_large", detail=said, most=most)

        async def nothing() -> Any:
            return {"type": "http.disconnect"}

        await answer(scope, nothing, send)
