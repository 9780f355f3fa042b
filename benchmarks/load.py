"""The load: a few keep-alive connections, each asking again as soon as it is answered. A process of its own.

One loop over non-blocking sockets, because what it costs comes off the same processor as the database. It reads its
order as JSON from standard input and writes what it saw as JSON to standard output; it also looks at the processor time
of the application and the database at the two ends of the measured time, so that warming up counts nowhere."""

import gc
import json
import os
import select
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from time import perf_counter

from benchmarks.machine import family, pin, spent

SEPARATOR = b"\0\0"
"""Between the requests in a file; no request of ours holds it."""
PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do: requests from a file to a port, `once` each or again and again; `watch` names processes' roots."""

    port: int
    file: str
    connections: int
    warm: float
    seconds: float
    once: bool
    watch: dict[str, int]


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen in the measured time: answers by status, microseconds per answer, seconds of each processor."""

    answers: int = 0
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[int] = field(default_factory=list)
    processor: dict[str, float] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    ran_dry: bool = False


class Load:
    """A few connections, each of which asks again as soon as it is answered."""

    def __init__(self, order: Order, requests: Iterator[bytes]) -> None:
        self._order, self._requests, self._seen = order, requests, Seen()
        self._poll = select.epoll()
        self._lines = [_Line(order.port) for _ in range(order.connections)]
        self._waiting = 0
        self._first = self._end = 0.0
        self._before: dict[str, float] = {}
        self._families: dict[str, list[int]] | None = None

    def run(self) -> Seen:
        """Ask for as long as was ordered; what was seen."""
        lines = {line.socket.fileno(): line for line in self._lines}
        begun = perf_counter()
        self._end = begun + PATIENCE
        for line in self._lines:
            self._poll.register(line.socket, select.EPOLLIN)
            self._ask(line)
        while self._waiting:
            ready = self._poll.poll(PATIENCE)
            if not ready:
                raise TimeoutError(f"{self._waiting} requests were not answered within {PATIENCE:.0f} seconds")
            if not self._first:
                self._begin(perf_counter() - begun)
            for descriptor, _ in ready:
                line = lines[descriptor]
                if answer := line.answered():
                    self._note(line, answer)
                    self._ask(line)
        return self._seen

    def _begin(self, warm: float) -> None:
        """Halfway through warming up, see whom to watch, which takes a moment; then begin to measure."""
        if self._families is None and warm >= self._order.warm / 2:
            self._families = {name: family(root) for name, root in self._order.watch.items()}
        elif warm >= self._order.warm:
            self._before, self._first = self._spent(), perf_counter()
            self._end = self._first + self._order.seconds

    def close(self) -> None:
        """Hang up."""
        self._poll.close()
        for line in self._lines:
            line.socket.close()

    def _ask(self, line: "_Line") -> None:
        now = perf_counter()
        request = next(self._requests, None) if now < self._end else None
        if request is not None:
            self._waiting += not line.asked
            line.asked = now
            line.socket.sendall(request)
            return
        self._seen.ran_dry = self._seen.ran_dry or now < self._end
        self._waiting -= 1
        if not self._seen.seconds and self._first:
            # The measured time ends with the first who asks no more.
            self._end = min(self._end, now)
            self._seen.seconds = perf_counter() - self._first
            self._seen.processor = {name: after - self._before[name] for name, after in self._spent().items()}

    def _note(self, line: "_Line", answer: bytes) -> None:
        now, status, seen = perf_counter(), int(answer[9:12]), self._seen
        if self._first and now < self._end:
            seen.answers += 1
            seen.statuses[status] = seen.statuses.get(status, 0) + 1
            seen.latencies.append(int((now - line.asked) * 1e6))
        if status >= 300 and len(seen.odd) < 3:
            seen.odd.append(answer[-400:].decode("utf-8", "replace"))

    def _spent(self) -> dict[str, float]:
        return {name: spent(pids) for name, pids in (self._families or {}).items()}


class _Line:
    """One connection: when it last asked, and what has come so far of the answer."""

    __slots__ = ("_held", "_whole", "asked", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked, self._held, self._whole = 0.0, b"", 0

    def answered(self) -> bytes:
        """The whole answer, once all of it is here; nothing until then."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server closed a connection")
        if self._held:
            data = self._held + data
        self._whole = self._whole or _length(data)
        if not self._whole or len(data) < self._whole:
            self._held = data
            return b""
        self._held, self._whole = b"", 0
        return data


def drive(order: Order) -> Seen:
    """Do what was ordered."""
    requests = Path(order.file).read_bytes().split(SEPARATOR)
    load = Load(order, iter(requests) if order.once else cycle(requests))
    try:
        return load.run()
    finally:
        load.close()


def _length(data: bytes) -> int:
    """How long the whole answer is; 0 as long as its head has not arrived."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return 0
    lowered = data[:head].lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError(f"an answer without its length: {lowered[:300]!r}")
    return head + 4 + int(lowered[at + 17 :].partition(b"\r\n")[0])


def main() -> None:
    """The process: an order comes in, what was seen goes out."""
    given = json.load(sys.stdin)
    pin(given.pop("processor"))
    given["watch"]["load"] = os.getpid()
    # Nothing here goes round in circles, and a pause would be taken for the server's.
    gc.disable()
    json.dump(asdict(drive(Order(**given))), sys.stdout)


if __name__ == "__main__":
    main()
