"""HTTP as bytes on a socket: fast, and exact about what was sent, what was answered and what never was."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

LOOPBACK = "127.0.0.1"
PATIENCE = 30.0
"""Seconds after which a request counts as lost; a server that lives answers sooner, if only with 503."""

SLOW = 2.0


class NotSent(Exception):
    """Nobody listened: nothing was asked."""


class NoAnswer(Exception):
    """It was asked, and no answer came: it may or may not have been done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """The document in it, or nothing."""
        with suppress(ValueError):
            return json.loads(self.body)
        return {}


@dataclass(eq=False, slots=True)
class Asked:
    """A request on its way."""

    api: int
    changes: bool
    since: float
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A change that an API has acknowledged, and when it was asked for."""

    api: int
    asked: float
    at: float


@dataclass(frozen=True, slots=True, order=True)
class Slow:
    """An answer that took longer than anybody likes to wait."""

    seconds: float
    status: int
    what: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s for {self.status} to {self.what}"


@dataclass(slots=True)
class Traffic:
    """Everything under way, and every acknowledgement there was."""

    ports: tuple[int, ...]
    open: set[Asked] = field(default_factory=set)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    lost: int = 0
    usual: float = 0.01
    """Seconds a change takes, by recent ones."""
    _waiting: list[tuple[int | None, "asyncio.Future[None]"]] = field(default_factory=list)
    slow: list["Slow"] = field(default_factory=list)

    async def next_change(self, api: int | None = None) -> None:
        """Until a change has just left for that API, or for any."""
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((api, left))
        await left

    def left(self, asked: Asked) -> None:
        """A request is on its way now."""
        self.open.add(asked)
        for each in [each for each in self._waiting if asked.changes and each[0] in (None, asked.api)]:
            self._waiting.remove(each)
            if not each[1].done():
                each[1].set_result(None)

    def under_way(self, api: int | None = None, *, changes: bool = False) -> list[Asked]:
        """Requests without an answer, at one API or anywhere."""
        return [each for each in self.open if api in (None, each.api) and (each.changes or not changes)]


class Line:
    """One connection to one API, opened anew whenever it broke; one request at a time."""

    def __init__(self, traffic: Traffic, api: int) -> None:
        self._traffic, self._api = traffic, api
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Ask, and wait for the answer."""
        if self._writer is None or self._writer.is_closing():
            await self._connect()
        assert self._writer is not None
        named = {**headers, "Host": f"{LOOPBACK}:{self._traffic.ports[self._api]}", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        asked = Asked(self._api, method != "GET", time.monotonic())
        try:
            self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            self._traffic.left(asked)
            answer = await asyncio.wait_for(self._answer(), PATIENCE)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            asked.lost = True
            self._traffic.lost += 1
            self.close()
            raise NoAnswer(type(error).__name__) from error
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._traffic.open.discard(asked)
        self._count(asked, answer, f"{method} {path.split('?', maxsplit=1)[0]}")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _connect(self) -> None:
        port = self._traffic.ports[self._api]
        try:
            self._reader, self._writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), PATIENCE)
        except (OSError, TimeoutError) as error:
            raise NotSent(str(error)) from error

    async def _answer(self) -> Answer:
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(_header(line) for line in lines if line)
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split(" ", 2)[1]), headers, body)

    def _count(self, asked: Asked, answer: Answer, what: str) -> None:
        now = time.monotonic()
        self._traffic.statuses[answer.status] = self._traffic.statuses.get(answer.status, 0) + 1
        if now - asked.since > SLOW:
            self._traffic.slow.append(Slow(now - asked.since, answer.status, what))
        if asked.changes and answer.status < 400:
            self._traffic.usual += (now - asked.since - self._traffic.usual) / 16
            self._traffic.acknowledged.append(Acknowledged(asked.api, asked.since, now))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
