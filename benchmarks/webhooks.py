"""`python -m benchmarks.webhooks`: how many webhooks a second are taken into the inbox, and how long one takes to have
its effect.

Taken: verified, stored with its event and its audit row, durably, and answered; every tenth comes a second time. One
API process without a worker on one processor, PostgreSQL and the load on the other; then two API processes, wherever
they find room. Effect: `guildhall serve` as it ships, the worker in the same process as the API, from the instant the
gateway posts until the booking is confirmed in the database."""

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from adapters.simulated_gateway.signature import HEADER, signed
from benchmarks import machine, questions, scenes
from benchmarks.contenders import HERE, Running, contenders
from benchmarks.database import Cluster, cluster
from benchmarks.goals import TIMES
from benchmarks.load import Order
from benchmarks.questions import Bookings
from benchmarks.rounds import Figures, Operation, driven, measure
from benchmarks.tokens import minted
from benchmarks.town import Sizes

FOLDER = HERE.parent / "build" / "bench"
WANTED_A_SECOND = 1_000
MOST_A_SECOND = 6_000
FEW = Sizes(2_000, 4_000)
NAMES = {"cpu": "application", "database": "database"}
_numbers = count()


def main(arguments: list[str]) -> int:
    """The command; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="measured seconds of a round")
    parser.add_argument("--times", type=int, default=120, help="webhooks that are followed to their effect")
    given = parser.parse_args(arguments)
    console, halves = Console(width=None if sys.stdout.isatty() else 150), machine.halves()
    application, rest = halves or (None, None)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with cluster(FOLDER / "postgres", lambda what: console.print(f"[dim]{what}[/dim]")) as server:
        if rest is not None:
            machine.pin(rest, server.postmaster)
        one = [_taken_by_one(server, given.seconds, application, rest) for _ in range(given.rounds)]
        two = [_taken_by_two(server, given.seconds) for _ in range(given.rounds)]
        effect = _effect(server, application, given.times)
    table = Table("", "median", "worst", "wanted")
    rates = [figures.rate for figures in one]
    table.add_row(
        "taken a second, one API process", f"{median(rates):,.0f}", f"{min(rates):,.0f}", f"{WANTED_A_SECOND:,}"
    )
    for name in ("cpu", "database"):
        each = [getattr(figures, name) for figures in one]
        table.add_row(f"processor for each, {NAMES[name]}, us", f"{median(each):,.0f}", f"{max(each):,.0f}", "")
    table.add_row("taken a second, two API processes", f"{median(two):,.0f}", f"{min(two):,.0f}", "")
    most = next(goal.most for goal in TIMES if goal.operation == "webhook")
    table.add_row("webhook to confirmed booking, p50 ms", f"{effect['webhook_p50']:.1f}", "", "")
    table.add_row("webhook to confirmed booking, p95 ms", f"{effect['webhook']:.1f}", "", f"{most:g}")
    console.print(table)
    console.print(json.dumps({"taken": rates, "taken by two": two, **effect, "machine": machine.described()}))
    return 0 if median(rates) >= WANTED_A_SECOND and effect["webhook"] <= most else 1


def _taken_by_one(server: Cluster, seconds: float, application: int | None, rest: int | None) -> Figures:
    guildhall = next(one for one in contenders(fetch=False) if one.name == "guildhall")
    with server.empty() as database, guildhall.serve(database, FOLDER, application) as running:
        return measure(
            _operation(FOLDER / "guildhall"), running, server.postmaster, seconds=seconds, warm=1.0, processor=rest
        )


def _taken_by_two(server: Cluster, seconds: float) -> float:
    """Each process gets half of the load; what they take together in the same seconds."""
    guildhall = next(one for one in contenders(fetch=False) if one.name == "guildhall")
    with server.empty() as database, ExitStack() as stack:
        both = [stack.enter_context(guildhall.serve(database, FOLDER, None)) for _ in range(2)]
        return sum(_at_once(both, seconds))


def _at_once(both: list[Running], seconds: float) -> list[float]:
    def drive(number: int) -> float:
        running = both[number]
        requests = _requests(FOLDER / "guildhall", seconds + 1.0)
        file = questions.written(requests, FOLDER / f"webhooks-{number}.requests")
        seen = driven(
            Order(
                port=running.port, file=str(file), connections=16, warm=1.0, seconds=seconds, once=True,
                watch={"application": running.pid},
            ),
            None,
        )  # fmt: skip
        return float(seen["answers"] / seen["seconds"])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(drive, range(2)))


def _operation(folder: Path) -> Operation:
    def fresh(seconds: float) -> Path:
        return questions.written(_requests(folder, seconds), FOLDER / "webhooks.requests")

    return Operation(name="webhooks", title="take webhooks", status=202, requests=fresh, once=True)


def _requests(folder: Path, seconds: float) -> Iterator[bytes]:
    """Signed messages, as many as could be wanted; every tenth twice."""
    secret, now = (folder / "secret").read_text().strip(), datetime.now(UTC)
    for _ in range(int(seconds * MOST_A_SECOND)):
        number = next(_numbers)
        request = _request(number, secret, now)
        yield request
        if number % 10 == 0:
            yield request


def _request(number: int, secret: str, now: datetime) -> bytes:
    told = {"id": f"se_{number:032x}", "kind": "payment.captured", "occurred_at": int(now.timestamp())}
    body = json.dumps({**told, "payment": f"sp_{number:032x}", "refund": None}).encode()
    head = (
        "POST /webhooks/simulated HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{HEADER}: {signed(body, secret, now)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _effect(server: Cluster, application: int | None, times: int) -> dict[str, float]:
    with server.town(FEW) as database:
        folder = FOLDER / "guildhall-and-worker"
        tokens = minted(folder, FEW.customers)
        return scenes.webhook(database, folder, application, Bookings(FEW, tokens, offset=1), times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
