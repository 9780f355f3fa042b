"""Rounds: everybody does the same for a moment, in turns, again and again; ratios are taken within a round."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import questions
from benchmarks.contenders import Running
from benchmarks.load import Order
from benchmarks.questions import Bookings
from benchmarks.town import Sizes

CONNECTIONS = 32
MOST_BOOKINGS_A_SECOND = 6000
"""More than anybody can make; that many free slots are at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One contender in one round: answers a second, microseconds of processor per answer, latency in milliseconds."""

    rate: float
    cpu: float
    database: float
    load: float
    busy: float
    p50: float
    p95: float
    p99: float


@dataclass(slots=True)
class Measured:
    """All rounds of one operation, by contender."""

    operation: str
    rounds: dict[str, list[Figures]] = field(default_factory=dict)

    def median(self, name: str, figure: str = "rate") -> float:
        """The median of a figure over the rounds."""
        return float(median(getattr(one, figure) for one in self.rounds[name]))

    def ratio(self, name: str, other: str, figure: str = "rate") -> float:
        """The median over the rounds of one contender's figure by another's."""
        pairs = zip(self.rounds[name], self.rounds[other], strict=True)
        return float(median(getattr(one, figure) / getattr(two, figure) for one, two in pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is asked, by whom it can be answered (None: everybody), and where its requests come from."""

    name: str
    title: str
    status: int
    requests: Callable[[float], Path]
    once: bool = False
    only: tuple[str, ...] | None = None
    connections: int = CONNECTIONS


def operations(sizes: Sizes, tokens: list[str], folder: Path) -> list[Operation]:
    """Everything that is measured in rounds."""
    bookings, holds = Bookings(sizes, tokens), Bookings(sizes, tokens, offset=1)

    def kept(name: str, requests: Any) -> Callable[[float], Path]:
        file = questions.written(requests, folder / f"{name}.requests")
        return lambda _: file

    def fresh(name: str, source: Bookings) -> Callable[[float], Path]:
        return lambda seconds: questions.written(
            source.take(int(seconds * MOST_BOOKINGS_A_SECOND)), folder / f"{name}.requests"
        )

    slots = kept("slots", questions.slots(sizes))
    return [
        Operation(name="read", title="read a job", status=200, requests=kept("read", questions.reads(sizes))),
        Operation(
            name="newest",
            title="search page, newest first",
            status=200,
            requests=kept("newest", questions.searches("newest")),
        ),
        Operation(
            name="relevance",
            title="search page, by relevance",
            status=200,
            requests=kept("relevance", questions.searches("relevance")),
        ),
        Operation(name="book", title="book", status=201, requests=fresh("book", bookings), once=True),
        Operation(
            name="hold",
            title="book, paid in advance (two events, a payment)",
            status=201,
            requests=fresh("hold", holds),
            once=True,
            only=("guildhall",),
        ),
        Operation(name="slots", title="free slots of 4 weeks", status=200, requests=slots, only=("guildhall",)),
        Operation(
            name="slots_alone",
            title="free slots of 4 weeks, one client",
            status=200,
            requests=slots,
            only=("guildhall",),
            connections=1,
        ),
    ]


def measure(
    operation: Operation, running: Running, postmaster: int, *, seconds: float, warm: float, processor: int | None
) -> Figures:
    """One contender for a moment."""
    order = Order(
        port=running.port,
        file=str(operation.requests(seconds + warm)),
        connections=operation.connections,
        warm=warm,
        seconds=seconds,
        once=operation.once,
        watch={"application": running.pid, "database": postmaster},
    )
    seen = driven(order, processor)
    wrong = {status: many for status, many in seen["statuses"].items() if int(status) != operation.status}
    if wrong or seen["ran_dry"] or not seen["answers"]:
        what = f"{wrong}, {'no requests left, ' if seen['ran_dry'] else ''}{seen['odd']}"
        raise RuntimeError(f"{running.name} did not {operation.title} as it should: {what}")
    latencies, spent = sorted(seen["latencies"]), seen["processor"]
    each = 1e6 / seen["answers"]
    return Figures(
        rate=seen["answers"] / seen["seconds"],
        cpu=spent["application"] * each,
        database=spent["database"] * each,
        load=spent["load"] * each,
        busy=spent["application"] / seen["seconds"],
        p50=at(latencies, 0.50) / 1000,
        p95=at(latencies, 0.95) / 1000,
        p99=at(latencies, 0.99) / 1000,
    )


def driven(order: Order, processor: int | None) -> dict[str, Any]:
    """What the load saw; it runs in a process of its own, on that processor."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(order) | {"processor": processor}).encode(),
        capture_output=True,
        check=False,
        timeout=order.warm + order.seconds + 60,
    )
    if answer.returncode:
        raise RuntimeError(f"the load failed: {answer.stderr.decode()[-1500:]}")
    seen: dict[str, Any] = json.loads(answer.stdout)
    return seen


def at(ordered: list[int], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])
