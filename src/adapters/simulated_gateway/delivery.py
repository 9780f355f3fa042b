"""How the simulated gateway tells us: signed posts to the real endpoint, again and again until they are accepted."""

import asyncio
import json
from contextlib import suppress
from sqlite3 import Connection, Row

import httpx

from adapters.simulated_gateway.books import Books
from adapters.simulated_gateway.signature import HEADER, signed
from application.ports.clock import Clock
from application.ports.ids import Ids

LEASE = 60.0
FIRST_RETRY = 5.0
LONGEST_RETRY = 3600.0
MOST_TRIES = 16
POLL = 1.0
BATCH = 20


def announce(
    books: Connection,
    kind: str,
    *,
    payment: str | None = None,
    refund: str | None = None,
    thing: tuple[str, str] | None = None,
    payee: str | None = None,
    ids: Ids,
    clock: Clock,
) -> None:
    """Owe a message about this, in the transaction that made it true; `thing` is another kind of object and its
    reference, `payee` the account it happened at."""
    event, now = f"se_{ids.new().hex}", clock.now().timestamp()
    body: dict[str, object] = {"id": event, "kind": kind, "occurred_at": int(now), "payment": payment, "refund": refund}
    if thing is not None:
        body |= {"thing": thing[0], "thing_ref": thing[1]}
    if payee is not None:
        body["payee"] = payee
    books.execute(
        "insert into deliveries (id, body, created_at, due_at, tries) values (?, ?, ?, ?, 0)",
        (event, json.dumps(body, separators=(",", ":")), now, now),
    )


class Deliveries:
    """Delivers what is owed to `url`. At least once, in no promised order; a refused one is tried again with growing
    patience, for about half a day."""

    def __init__(self, books: Books, *, client: httpx.AsyncClient, url: str, secret: str, clock: Clock) -> None:
        self._books = books
        self._client = client
        self._url = url
        self._secret = secret
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something is owed."""
        self._woken.set()

    async def deliver_due(self) -> int:
        """Post everything that is due once; how many were accepted."""
        accepted = 0
        while due := await self._books.do(self._claim):
            for row in due:
                accepted += await self._deliver(row)
        return accepted

    async def run(self) -> None:
        """Deliver until cancelled. What cannot be delivered now waits; nothing that goes wrong here ends the loop."""
        while True:
            self._woken.clear()
            with suppress(Exception):
                await self.deliver_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._woken.wait()

    def _claim(self, books: Connection) -> list[Row]:
        # The lease keeps a second process from posting the same message at the same time.
        now = self._clock.now().timestamp()
        return books.execute(
            "update deliveries set due_at = :until, tries = tries + 1 where id in (select id from deliveries"
            " where delivered_at is null and given_up_at is null and due_at <= :now order by created_at, id"
            " limit :most) returning id, body, tries",
            {"now": now, "until": now + LEASE, "most": BATCH},
        ).fetchall()

    async def _deliver(self, row: Row) -> bool:
        raw = row["body"].encode()
        headers = {"content-type": "application/json", HEADER: signed(raw, self._secret, self._clock.now())}
        try:
            answer = await self._client.post(self._url, content=raw, headers=headers)
            error = "" if answer.is_success else f"answered {answer.status_code}"
        except httpx.HTTPError as failure:
            error = f"{type(failure).__name__}: {failure}"[:200]
        await self._books.do(lambda books: self._settle(books, row["id"], row["tries"], error))
        return not error

    def _settle(self, books: Connection, id: str, tries: int, error: str) -> None:
        now = self._clock.now().timestamp()
        if not error:
            books.execute("update deliveries set delivered_at = ?, last_error = '' where id = ?", (now, id))
        elif tries >= MOST_TRIES:
            books.execute("update deliveries set given_up_at = ?, last_error = ? where id = ?", (now, error, id))
        else:
            due = now + min(FIRST_RETRY * 2.0 ** (tries - 1), LONGEST_RETRY)
            books.execute("update deliveries set due_at = ?, last_error = ? where id = ?", (due, error, id))
