"""HTTP without a network: the real application called as a server would call it, in a process that may die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from entrypoints.container.simulating import PROCESS, ConnectionLost, Process

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `route` is the template of the path that answered."""

    status: int
    raw: bytes
    route: str
    headers: Headers

    @property
    def body(self) -> Any:
        """Its JSON; None when there is none."""
        return orjson.loads(self.raw) if self.raw else None

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""

    @property
    def fine(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


async def call(
    app: Any,
    process: Process,
    method: str,
    path: str,
    *,
    query: dict[str, Any] | None = None,
    headers: Headers = [],  # noqa: B006 - never changed
    body: bytes = b"",
    address: str = "10.0.0.1",
    lost: Callable[[], bool] = lambda: False,
) -> Answer:
    """One request to one process; `ConnectionLost` when it dies over it, or when the answer does not arrive."""
    if not process.alive:
        raise ConnectionLost(process.name)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(query, doseq=True).encode() if query else b"",
        "root_path": "",
        "headers": [(b"host", b"guildhall.test"), (b"content-length", str(len(body)).encode()), *headers],
        "client": (address, 50000),
        "server": ("guildhall.test", 80),
        "state": {},
    }
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Answer] = loop.create_future()
    process.connections[waiting] = None
    inside = copy_context()
    inside.run(PROCESS.set, process)
    # Kept by the loop, with everything that belongs to the process.
    serving = loop.create_task(_serve(app, scope, body, process, waiting), context=inside)
    answer = await waiting
    del serving
    if lost():
        raise ConnectionLost(process.name)
    return answer


async def _serve(
    app: Any, scope: dict[str, Any], body: bytes, process: Process, waiting: asyncio.Future[Answer]
) -> None:
    status, headers, parts, taken = 0, [], [], False

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken:
            return {"type": "http.disconnect"}
        taken = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]
        else:
            parts.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
        route = getattr(scope.get("route"), "path", "")
        answer = Answer(status, b"".join(parts), route, headers)
        if not waiting.done():
            waiting.set_result(answer)
    except Exception as error:
        if not waiting.done():
            waiting.set_exception(error)
    finally:
        process.connections.pop(waiting, None)
