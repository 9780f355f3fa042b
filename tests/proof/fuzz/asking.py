"""Sending a generated request to the app in this process, exactly as it would stand on the wire."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from fastapi import FastAPI
from schemathesis import Case, Response

BASE = "http://guildhall.test"
PATIENCE = 20.0


@dataclass(slots=True)
class Answer:
    """Status, headers as they were sent, and the whole body."""

    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


def prepared(case: "Case[Any]", headers: dict[str, str], content: bytes | None = None) -> requests.PreparedRequest:
    """The case as a request on the wire; `content` takes the place of its body."""
    told = case.as_transport_kwargs(base_url=BASE, headers=headers)
    if content is not None:
        told = {key: value for key, value in told.items() if key not in ("json", "data")} | {"data": content}
    return requests.Request(**told).prepare()


async def ask(app: FastAPI, request: requests.PreparedRequest) -> Answer:
    """What the app answers; an exception that leaves it is an answer of status 599."""
    address = urlsplit(request.url or "")
    sent = sent_by(request)
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote_to_bytes(address.path).decode("utf-8", "replace"),
        "raw_path": address.path.encode("latin-1", "replace"),
        "query_string": address.query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [(b"host", b"guildhall.test"), *_lines(request)],
        "client": ("127.0.0.1", 1234),
        "server": ("guildhall.test", 80),
        "state": {},
    }
    answer = Answer()
    waiting = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], tuple(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    try:
        async with asyncio.timeout(PATIENCE):
            await app(scope, receive, send)
    except Exception as error:
        answer = Answer(599, ((b"content-type", b"text/plain"),), f"{type(error).__name__}: {error}".encode())
    return answer


def sent_by(request: requests.PreparedRequest) -> bytes:
    """The body, as bytes."""
    body: Any = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def told(answer: Answer, request: requests.PreparedRequest) -> Response:
    """The answer as Schemathesis reads it."""
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return Response(
        status_code=answer.status, headers=headers, content=answer.body, request=request, elapsed=0.0, verify=False
    )


def _lines(request: requests.PreparedRequest) -> list[tuple[bytes, bytes]]:
    # Compressed answers are the campaign `sockets`' matter.
    lines = [(_bytes(name).lower(), _bytes(value)) for name, value in request.headers.items()]
    return [line for line in lines if line[0] != b"accept-encoding"]


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8")
