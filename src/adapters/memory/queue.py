"""When events can be claimed: an order over the outbox, so that looking for work never walks through what is done."""

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters.persistence.schema.tables import Row


class Queue:
    """Unfinished events by the moment from which they are free. Entries are never removed when a row changes: one whose
    version is not the row's any more is skipped."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, datetime, Any, int]] = []
        self._ripe: list[tuple[datetime, datetime, Any, int]] = []

    def note(self, row: Row) -> None:
        """This row of the outbox is new, or has changed."""
        if row["finished_at"] is None and row["dead_at"] is None:
            due, leased = row["due_at"], row["leased_until"]
            free = due if leased is None or leased < due else leased
            heapq.heappush(self._waiting, (free, due, row["id"], row["version"]))

    def ripe(self, rows: Mapping[Any, Row], now: datetime) -> Iterator[Row]:
        """What is due and not leased, in the order of its due moments."""
        waiting, ripe = self._waiting, self._ripe
        if self._take(now):
            ripe.sort(key=lambda entry: (entry[1], entry[2]))
        kept = []
        for entry in ripe:
            if _valid(rows, entry):
                if entry[0] <= now:
                    kept.append(entry)
                else:
                    heapq.heappush(waiting, entry)
        self._ripe = kept
        return (rows[entry[2]] for entry in list(kept))

    def next_due(self, rows: Mapping[Any, Row], now: datetime) -> datetime | None:
        """The first moment after this one at which anything becomes free."""
        self._take(now)
        while self._waiting and not _valid(rows, self._waiting[0]):
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None

    def _take(self, now: datetime) -> bool:
        """Move what has become free among the ripe; whether there was any."""
        waiting, before = self._waiting, len(self._ripe)
        while waiting and waiting[0][0] <= now:
            self._ripe.append(heapq.heappop(waiting))
        return len(self._ripe) > before


def _valid(rows: Mapping[Any, Row], entry: tuple[datetime, datetime, Any, int]) -> bool:
    row = rows.get(entry[2])
    return row is not None and row["version"] == entry[3] and row["finished_at"] is None and row["dead_at"] is None
