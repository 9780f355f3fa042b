"""Faults planted around an app, which the fuzzing must find: each breaks one promise of the document."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Change = Callable[[dict[str, Any], Message], Message]
PATH = "/v1/me/profile"


def _when(path: str, change: Callable[[Message], Message]) -> Change:
    return lambda scope, message: change(message) if scope["path"] == path else message


def _status(status: int) -> Change:
    def change(message: Message) -> Message:
        return {**message, "status": status} if message["type"] == "http.response.start" else message

    return _when(PATH, change)


def _body(before: bytes, after: bytes) -> Change:
    def change(message: Message) -> Message:
        if message["type"] == "http.response.body":
            return {**message, "body": message.get("body", b"").replace(before, after)}
        kept = [pair for pair in message["headers"] if pair[0] != b"content-length"]
        return {**message, "headers": kept}

    return _when(PATH, change)


def _header(name: bytes, value: bytes | None) -> Change:
    def change(message: Message) -> Message:
        if message["type"] != "http.response.start":
            return message
        kept = [pair for pair in message["headers"] if pair[0].lower() != name]
        return {**message, "headers": kept if value is None else [*kept, (name, value)]}

    return _when(PATH, change)


PLANTS: dict[str, Change] = {
    "a server error": _status(500),
    "an undocumented status": _status(207),
    "a field of another type": _body(b'"version":', b'"version":"x","was":'),
    "a field that is missing": _body(b'"name":', b'"nome":'),
    "another content type": _header(b"content-type", b"text/html"),
    "a promised header left out": _header(b"etag", None),
    "a code nobody documented": _body(b'"code":"', b'"code":"secret.'),
}


class Planted:
    """The app with one fault around it."""

    def __init__(self, app: Any, change: Change) -> None:
        self._app, self._change = app, change
        self.openapi = app.openapi

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        async def changed(message: Message) -> None:
            await send(self._change(scope, message))

        await self._app(scope, receive, changed)
