"""A client that costs next to nothing: one socket per customer, one request ready in bytes, one number back."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

OPENING_AT_ONCE = 100
PATIENCE_SECONDS = 110.0


class Customer(asyncio.Protocol):
    """One connection; says its request when told to, and notes when the answer was there and what it was."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._came = bytearray()
        self._asked = 0.0
        self.seconds = 0.0
        self.status = 0
        self.said = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes | None = None) -> None:
        """Now."""
        self._asked = time.perf_counter()
        self._transport.write(request or self._request)

    def again(self) -> None:
        """Ready for another request on the same connection."""
        self._came.clear()
        self.status = 0
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, parted, body = bytes(self._came).partition(b"\r\n\r\n")
        if not parted:
            return
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        if len(body) >= length and not self.ended.done():
            self.seconds = time.perf_counter() - self._asked
            self.status = int(head.split(b" ", 2)[1])
            self.said = body if self.status not in (201, 409) else b""
            self.ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.seconds = time.perf_counter() - self._asked
            self.ended.set_result(None)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


@dataclass(slots=True)
class Rush:
    """What came of many asking at once. A status of 0 is no answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """What was said by answers that are neither yes nor no."""

    def add(self, customers: "list[Customer]") -> None:
        """Their answers."""
        self.statuses += Counter(customer.status for customer in customers)
        self.seconds += [customer.seconds for customer in customers]
        self.odd += [customer.said.decode(errors="replace")[:300] for customer in customers if customer.said]

    def at(self, percent: float) -> float:
        """In how many milliseconds that share was answered."""
        ordered = sorted(self.seconds)
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 1)


async def connected(requests: list[tuple[int, bytes]]) -> list[Customer]:
    """A connection for each (port, request), opened a hundred at a time."""
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_one(port: int, request: bytes) -> Customer:
        async with gate:
            _, customer = await loop.create_connection(lambda: Customer(request), "127.0.0.1", port)
            return customer

    return list(await asyncio.gather(*(open_one(port, request) for port, request in requests)))


async def rush(customers: list[Customer]) -> None:
    """All ask in one moment; until all are answered."""
    for customer in customers:
        customer.ask()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(customer.ended for customer in customers))


def booking(port: int, token: str, job_id: str, starts_at: str, key: str) -> bytes:
    """The request for a slot, in bytes."""
    body = f'{{"job_id":"{job_id}","starts_at":"{starts_at}"}}'.encode()
    head = (
        f"POST /v1/bookings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
