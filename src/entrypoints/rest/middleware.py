"""What wraps every request: an id, a log line, figures, and safe headers."""

import re
from collections.abc import Callable
from time import perf_counter
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.rest.metrics import Metrics

log = structlog.get_logger("http")
_SAFE_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/version"})

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_LOCKED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_KEPT_NOWHERE = (b"cache-control", b"no-store")
_ASKED_AGAIN = (b"cache-control", b"private, no-cache")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Surroundings:
    """Request id, access log, metrics and security headers in one pass over the message stream."""

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], UUID], metrics: Metrics, https: bool) -> None:
        self._app, self._new_id, self._metrics = app, new_id, metrics
        self._headers = (*_HEADERS, _HSTS) if https else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = perf_counter()
        status = 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
                if status == 204:
                    headers = [pair for pair in headers if pair[0] != b"content-type"]
                present = {name for name, _ in headers}
                headers.append((b"x-request-id", request_id.encode()))
                usual = (*self._headers, _LOCKED, _ASKED_AGAIN if b"etag" in present else _KEPT_NOWHERE)
                headers += [pair for pair in usual if pair[0] not in present]
                message["headers"] = headers
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        finally:
            self._note(scope, status, perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")

    def _request_id(self, scope: Scope) -> str:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        return given if _SAFE_ID.match(given) else str(self._new_id())

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"]
        if path in _QUIET:
            return
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.request(scope["method"], route, status, seconds)
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            principal=scope.get("principal", "anonymous"),
        )
