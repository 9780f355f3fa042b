"""Faults of ours: answered as a problem where every other answer is dressed, so that they carry a request id too."""

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.rest.errors import problem

log = structlog.get_logger("rest")


class Faults:
    """Logs what nobody expected, whole, and tells it without its inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # nobody waits for an answer
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            log.error("unexpected", path=scope["path"], request_id=scope.get("request_id"), exc_info=error)
            answer = problem(Request(scope), status=500, code="internal", detail="something went wrong on our side")
            await answer(scope, receive, send)
