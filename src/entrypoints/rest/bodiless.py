"""Answers that leave their body out: HEAD, and what the asker has already (If-None-Match)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT = frozenset({b"etag", b"cache-control", b"vary", b"link", b"ratelimit", b"ratelimit-policy"})


class Bodiless:
    """Answers HEAD as GET would be, and a GET whose ETag the asker named with 304, both without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        asked = scope["method"]
        heading = scope["headless"] = asked == "HEAD"
        known = {
            tag.strip().removeprefix("W/")
            for name, value in scope["headers"]
            if name == b"if-none-match"
            for tag in value.decode("latin-1").split(",")
        }
        if not (heading or known):
            await self._app(scope, receive, send)
            return
        unchanged = False

        async def shortened(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start" and message["status"] == 200 and known:
                tag = dict(message["headers"]).get(b"etag", b"").decode("latin-1")
                unchanged = bool(tag) and bool(known & {tag, "*"})
                if unchanged:
                    kept = [(name, value) for name, value in message["headers"] if name in _KEPT]
                    message = {**message, "status": 304, "headers": kept}
            elif message["type"] == "http.response.body" and (heading or unchanged):
                message = {**message, "body": b""}
            # The server shares this scope, and holds the bytes sent against the method that was asked.
            scope["method"] = asked
            await send(message)
            scope["method"] = "GET"

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, shortened)
        finally:
            scope["method"] = asked
