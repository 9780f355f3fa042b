"""Carrying messages as the internet does: doubled, out of order, days late, and under other ids for the same change."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from sqlite3 import Connection

from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.delivery import FIRST_RETRY, LONGEST_RETRY
from adapters.simulated_gateway.signature import HEADER, signed
from application.ports.clock import Clock

Post = Callable[[bytes, dict[str, str]], Awaitable[bool]]
"""Hands a signed message to the API; whether it was accepted."""

Copies = Callable[[], Sequence[tuple[float, bool]]]
"""How one message travels: for each copy the seconds it takes, and whether it goes under an id of its own."""


class Carrier:
    """Stands where deliveries would: takes what the books owe, and gives up nothing until it is accepted."""

    def __init__(self, books: Books, *, post: Post, copies: Copies, secret: str, clock: Clock) -> None:
        self._books, self._post, self._copies = books, post, copies
        self._secret, self._clock = secret, clock
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something is owed."""
        self._woken.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is owed or on its way."""
        return not self._under_way and not self._woken.is_set()

    async def run(self) -> None:
        """Carry whatever comes, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            for body in await self._books.do(_taken):
                for number, (seconds, renamed) in enumerate(self._copies()):
                    text = _renamed(body, number) if renamed else body
                    task = asyncio.ensure_future(self._carry(text.encode(), seconds))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)

    async def _carry(self, raw: bytes, seconds: float) -> None:
        pause = FIRST_RETRY
        await asyncio.sleep(seconds)
        while not await self._post(raw, self._headers(raw)):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY)

    def _headers(self, raw: bytes) -> dict[str, str]:
        return {"content-type": "application/json", HEADER: signed(raw, self._secret, self._clock.now())}


def _taken(books: Connection) -> list[str]:
    rows = books.execute(
        "update deliveries set tries = 1 where tries = 0 and delivered_at is null returning created_at, id, body"
    ).fetchall()
    return [row["body"] for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))]


def _renamed(body: str, number: int) -> str:
    told = json.loads(body)
    return json.dumps({**told, "id": f"{told['id']}_{number}"}, separators=(",", ":"))
