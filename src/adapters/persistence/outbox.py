"""The outbox over any store: an event's version is its fence, so settling is an ordinary guarded update."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from adapters.persistence.events import EVENTS
from adapters.persistence.mapper import JSON
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Store, Update
from application.ports.clock import Clock
from application.ports.criteria import Present
from application.ports.outbox import Delivery, Outbox
from domain.shared.errors import NotFound

log = structlog.get_logger("worker")

TRIES_TO_READ = 10
"""Leases after which an event nobody here can read is given up."""


class StoredOutbox(Outbox):
    """Events of one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._leased: dict[tuple[UUID, int], Row] = {}

    async def claim(self, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        rows = await self._store.claim(now=self._clock.now(), lease=lease, limit=limit)
        self._leased.update({(row["id"], row["version"]): row for row in rows})
        deliveries = [await self._delivery(row) for row in rows]
        return [delivery for delivery in deliveries if delivery is not None]

    async def finish(self, delivery: Delivery) -> None:
        await self._settle(delivery, finished_at=self._clock.now(), leased_until=None)

    async def postpone(self, delivery: Delivery, *, until: datetime, error: str) -> None:
        await self._settle(delivery, leased_until=until, last_error=error)

    async def bury(self, delivery: Delivery, *, error: str) -> None:
        await self._settle(delivery, dead_at=self._clock.now(), leased_until=None, last_error=error)

    async def revive(self, id: UUID, *, skip: bool) -> None:
        rows = await self._store.load("outbox", {"id": id, "finished_at": None, "dead_at": Present()})
        if not rows:
            raise NotFound.of("dead event", id)
        change: dict[str, Any] = {"dead_at": None, "attempts": 0, "leased_until": None}
        if skip:
            change["finished_at"] = self._clock.now()
        await self._update(rows[0], change)

    async def _delivery(self, row: Row) -> Delivery | None:
        """The event of a leased row. One that this version cannot read (a newer one may have written it) waits for its
        lease to end, and is given up in the end; it never stands in the way of other aggregates."""
        fence, attempts = row["version"], row["attempts"]
        try:
            event = JSON.structure(row["payload"], EVENTS[row["name"]])
        except Exception as error:
            log.error("event cannot be read", event_id=str(row["id"]), event_name=row["name"], error=repr(error))
            self._leased.pop((row["id"], fence))
            if attempts >= TRIES_TO_READ:
                await self._update(row, {"dead_at": self._clock.now(), "leased_until": None, "last_error": repr(error)})
            return None
        return Delivery(id=row["id"], event=event, fence=fence, attempts=attempts)

    async def _settle(self, delivery: Delivery, **change: object) -> None:
        await self._update(self._leased.pop((delivery.id, delivery.fence)), change)

    async def _update(self, row: Row, change: dict[str, Any]) -> None:
        expected = row["version"]
        update = Update("outbox", {**row, **change, "version": expected + 1}, expected)
        await self._store.commit(Changes(writes=(update,)))
