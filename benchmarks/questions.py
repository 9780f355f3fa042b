"""What is asked: the same requests for everybody, written out before the clock runs."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from benchmarks import town
from benchmarks.load import SEPARATOR
from benchmarks.town import FOR_WHOM, JOBS_EACH, KINDS, TRADES, VOCABULARY, Sizes, job_id, start

DISTINCT = 4096
"""Different requests per kind; each comes from an address of its own, so that no rate limit is reached."""


def texts() -> list[str]:
    """What people type: a trade and a kind, a trade and for whom, or one word that two in a hundred jobs use."""
    chance = random.Random(3)
    two = [f"{trade} {chance.choice(KINDS)}" for trade in chance.sample(TRADES, 32)]
    whom = [f"{trade} {chance.choice(FOR_WHOM)}" for trade in chance.sample(TRADES, 16)]
    return [*two, *whom, *chance.sample(VOCABULARY[100:800], 16)]


def reads(sizes: Sizes) -> Iterator[bytes]:
    """Read a job."""
    chance = random.Random(4)
    for number in range(DISTINCT):
        yield get(f"/v1/jobs/{job_id(chance.randrange(sizes.jobs))}", number)


def searches(sort: str) -> Iterator[bytes]:
    """The first page of what was found."""
    wanted = texts()
    for number in range(DISTINCT):
        yield get(f"/v1/jobs?text={wanted[number % len(wanted)].replace(' ', '+')}&sort={sort}", number)


def slots(sizes: Sizes) -> Iterator[bytes]:
    """Four weeks of free slots of a provider's first job."""
    chance = random.Random(5)
    for number in range(DISTINCT):
        yield get(f"/v1/jobs/{job_id(chance.randrange(sizes.providers) * JOBS_EACH)}/slots", number)


class Bookings:
    """Requests that book, each a free slot of its own, never the same twice. `offset` chooses among a provider's first
    two jobs: paid later (0) or in advance (1); they take every other hour each."""

    def __init__(self, sizes: Sizes, tokens: list[str], offset: int = 0) -> None:
        self._sizes, self._tokens, self._offset = sizes, tokens, offset
        self._numbers = count()
        self._first = datetime.now(UTC).date() + timedelta(days=60)

    def take(self, many: int) -> Iterator[bytes]:
        """That many more."""
        for _ in range(many):
            yield self.next()

    def next(self, *, customer: int | None = None, slot: tuple[str, datetime] | None = None) -> bytes:
        """One more: in the name of a customer, for the next free slot unless one is given."""
        number = next(self._numbers)
        job, starts_at = slot or self.slot(number)
        who = number % len(self._tokens) if customer is None else customer % len(self._tokens)
        body = json.dumps({"job_id": job, "starts_at": starts_at.isoformat()}).encode()
        head = (
            "POST /v1/bookings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self._tokens[who]}\r\nX-Customer: {town.customer_id(who)}\r\n"
            f"Idempotency-Key: benchmark-{self._offset}-{number}-{starts_at.timestamp():.0f}\r\n"
            f"X-Forwarded-For: {_address(number)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def fresh_slot(self) -> tuple[str, datetime]:
        """The next slot nobody has asked for."""
        return self.slot(next(self._numbers))

    def slot(self, number: int) -> tuple[str, datetime]:
        """The n-th slot, a job and a start: providers take turns."""
        hour, provider = divmod(number, self._sizes.providers)
        return str(job_id(provider * JOBS_EACH + self._offset)), start(provider, 2 * hour + self._offset, self._first)


def get(path: str, number: int) -> bytes:
    """A request for that path, from the n-th address."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {_address(number)}\r\n\r\n".encode()


def written(requests: Iterator[bytes], file: Path) -> Path:
    """These requests in a file, as the load reads them."""
    file.write_bytes(SEPARATOR.join(requests))
    return file


def _address(number: int) -> str:
    number %= DISTINCT
    return f"10.0.{number // 256}.{number % 256}"
