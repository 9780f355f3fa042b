"""Single scenes: fifty at one slot, a webhook on its way to a confirmed booking, and opening the house."""

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from adapters.simulated_gateway.signature import HEADER, signed
from benchmarks.contenders import GUILDHALL, HERE, environment, free_port, wait_for
from benchmarks.database import Database
from benchmarks.questions import Bookings
from benchmarks.rounds import at

RACERS = 50


def race(port: int, bookings: Bookings, times: int) -> dict[str, float]:
    """Fifty customers ask for the same slot in the same instant, again and again: one gets it. Milliseconds."""
    latencies: list[int] = []
    winners = []
    for number in range(times + 1):
        slot = bookings.fresh_slot()
        requests = [bookings.next(customer=who, slot=slot) for who in range(RACERS)]
        answers = asyncio.run(_at_once(port, requests))
        statuses = sorted(status for status, _ in answers)
        if statuses != [201] + [409] * (RACERS - 1):
            raise RuntimeError(f"not one winner and {RACERS - 1} conflicts, but {statuses}")
        if number == 0:
            continue  # in the first one the tokens are new
        latencies += [microseconds for _, microseconds in answers]
        winners += [microseconds for status, microseconds in answers if status == 201]
    latencies.sort()
    winners.sort()
    return {
        "race": at(latencies, 0.99) / 1000,
        "race_p50": at(latencies, 0.5) / 1000,
        "race_winner_p50": at(winners, 0.5) / 1000,
    }


async def _at_once(port: int, requests: list[bytes]) -> list[tuple[int, int]]:
    lines = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in requests))

    async def ask(number: int) -> tuple[int, int]:
        reader, writer = lines[number]
        begun = time.perf_counter()
        writer.write(requests[number])
        status = int((await reader.readline()).split()[1])
        took = time.perf_counter() - begun
        writer.close()
        return status, int(took * 1e6)

    return await asyncio.gather(*map(ask, range(len(requests))))


def webhook(
    database: Database, folder: Path, processor: int | None, bookings: Bookings, times: int
) -> dict[str, float]:
    """From the instant a gateway posts that a hold is paid until the booking is confirmed in the database, the worker
    in the same process as the API, as `guildhall serve` runs them. Milliseconds."""
    with served(database, folder, processor) as port:
        return asyncio.run(_webhooks(port, database, folder, bookings, times))


@contextmanager
def served(database: Database, folder: Path, processor: int | None) -> Iterator[int]:
    """A Guildhall with its worker inside."""
    port, log = free_port(), folder.with_suffix(".log")
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*GUILDHALL, "serve", "--port", str(port)],
            env=environment(database, folder, port),
            stdout=lines,
            stderr=lines,
            cwd=HERE.parent,
        )
    try:
        if processor is not None:
            os.sched_setaffinity(process.pid, {processor})
        wait_for(port, process, log)
        yield port
    finally:
        process.terminate()
        process.wait(30)


async def _webhooks(port: int, database: Database, folder: Path, bookings: Bookings, times: int) -> dict[str, float]:
    connection = await asyncpg.connect(database.owner_url)
    secret = (folder / "secret").read_text().strip()
    took = []
    for _ in range(times):
        (status, body) = await _ask(port, bookings.next())
        if status != 201:
            raise RuntimeError(f"no hold to pay: {status} {body[:300]!r}")
        booking = json.loads(body)["id"]
        ref = await _until(connection, "select gateway_ref from payments where booking_id = $1", booking)
        # The gateway captures without a word: its own message would come as well as ours.
        books = sqlite3.connect(folder / "simulated-gateway.sqlite3")
        with books:
            books.execute(
                "update payments set state = 'captured', captured = amount, card = 'ok' where ref = ?", (ref,)
            )
        books.close()
        await asyncio.sleep(0.02)
        begun = time.perf_counter()
        status, body = await _ask(port, _notice(ref, secret))
        if status != 202:
            raise RuntimeError(f"the webhook was not taken: {status} {body[:300]!r}")
        await _until(connection, "select true from bookings where id = $1 and state = 'confirmed'", booking)
        took.append(int((time.perf_counter() - begun) * 1e6))
    await connection.close()
    took.sort()
    return {"webhook": at(took, 0.95) / 1000, "webhook_p50": at(took, 0.5) / 1000}


def _notice(ref: str, secret: str) -> bytes:
    now = datetime.now(UTC)
    told = {"id": f"se_{hashlib.sha256(ref.encode()).hexdigest()[:32]}", "kind": "payment.captured"}
    body = json.dumps({**told, "occurred_at": int(now.timestamp()), "payment": ref, "refund": None}).encode()
    head = (
        "POST /webhooks/simulated HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{HEADER}: {signed(body, secret, now)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    writer.close()
    return int(head.split()[1]), body


async def _until(connection: Any, sql: str, booking: str) -> Any:
    """What the query finds, asked every half millisecond."""
    for _ in range(20_000):
        if (found := await connection.fetchval(sql, booking)) is not None:
            return found
        await asyncio.sleep(0.0005)
    raise TimeoutError(f"nothing came of booking {booking}")


def starts(times: int) -> dict[str, float]:
    """Until `guildhall serve` answers on its embedded database, on a fresh data directory and again. Milliseconds."""
    fresh, again = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="guildhall-start-") as folder:
            Path(folder).chmod(0o711)
            fresh.append(_start(Path(folder)))
            again.append(_start(Path(folder)))
    return {"start_fresh": statistics.median(fresh) * 1000, "start_again": statistics.median(again) * 1000}


def _start(folder: Path) -> float:
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GUILDHALL_", "DATABASE_"))}
    log = folder / "start.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*GUILDHALL, "serve", "--port", str(port)],
            env=clean | {"GUILDHALL_DATA_DIR": str(folder / "data")},
            stdout=lines,
            stderr=lines,
            cwd=HERE.parent,
        )
    try:
        return wait_for(port, process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
