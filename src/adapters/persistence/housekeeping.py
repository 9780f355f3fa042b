"""Keeping a store tidy, and telling how it is: what has been delivered is forgotten, what waits is counted."""

from collections.abc import Collection
from datetime import timedelta

from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Delete, Store
from application.ports.clock import Clock
from application.ports.criteria import AnyOf, Between, Criteria, Order, Present
from domain.shared.actors import SYSTEM
from domain.shared.errors import StaleVersion

KEPT_EVENTS = timedelta(days=7)
BATCHES = 100


class Housekeeping:
    """Duties of the house that belong to no context."""

    def __init__(self, store: Store, clock: Clock, *, batch: int = 500) -> None:
        self._store, self._clock, self._batch = store, clock, batch

    async def tidy(self) -> int:
        """Forget receipts whose time is over, and events delivered long ago with their reactions' receipts; says how
        many rows went. A busy day leaves more than one batch, and the next round comes in a minute."""
        forgotten = 0
        for _ in range(BATCHES):
            if not (some := await self._tidy_some()):
                break
            forgotten += some
        return forgotten

    async def backlog(self) -> dict[str, int]:
        """How many events wait and how many were given up."""
        waiting: Criteria = {"finished_at": None, "dead_at": None}
        later = {**waiting, "due_at": Between(self._clock.now() + timedelta(microseconds=1))}
        given_up = {"finished_at": None, "dead_at": Present()}
        every, scheduled, dead = [await self._store.count("outbox", asked) for asked in (waiting, later, given_up)]
        return {"due": max(0, every - scheduled), "scheduled": scheduled, "dead": dead}

    async def check_store(self) -> str:
        """Whether the store answers."""
        await self._store.load("tallies", {}, limit=1)
        return "answers"

    async def _tidy_some(self) -> int:
        now = self._clock.now()
        expired = await self._store.load("receipts", {"expires_at": Between(below=now)}, limit=self._batch)
        old = Between(below=now - KEPT_EVENTS)
        events = await self._store.load("outbox", {"finished_at": old}, order=Order("finished_at"), limit=self._batch)
        keys = AnyOf(tuple(str(event["id"]) for event in events))
        reactions = await self._store.load("receipts", {"principal": SYSTEM.principal, "key": keys}) if events else ()
        receipts = {row["id"]: row for row in (*expired, *reactions)}
        return await self._forget("receipts", receipts.values()) + await self._forget("outbox", events)

    async def _forget(self, table: str, rows: Collection[Row]) -> int:
        deletes = tuple(Delete(table, row["id"], row["version"]) for row in rows)
        try:
            if deletes:
                await self._store.commit(Changes(writes=deletes))
        except StaleVersion:
            return 0  # another worker tidies too
        return len(deletes)
