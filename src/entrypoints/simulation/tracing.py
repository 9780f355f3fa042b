"""What happened, twice: as a hash that two runs of one seed share, and as a story to be read."""

from collections import deque
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from entrypoints.container.simulating import RowChange

_TOLD = {
    "bookings": ("reference", "state", "paid", "span"),
    "payments": ("state", "attempt", "captured_minor", "refunding_minor", "refunded_minor", "disputed_minor"),
    "refunds": ("state", "amount_minor", "payment_id"),
    "webhooks": ("kind", "outcome", "note"),
    "jobs": ("title", "state"),
    "sessions": ("end_reason",),
    "memberships": ("role",),
    "mails": ("template", "state"),
    "ledger": ("account", "amount_minor", "source_kind"),
    "reviews": ("stars", "state"),
    "messages": ("sequence",),
    "users": ("email", "suspended_at"),
    "tallies": ("name", "value"),
}
"""The columns a story tells of a changed row; of other tables it tells only events."""


class Trace:
    """The lines of one run. Kept whole only when somebody will read them; the hash always counts them all."""

    def __init__(self, start: datetime, *, whole: bool) -> None:
        self._start = start
        self._hash = blake2b(digest_size=16)
        self.whole = whole
        self.lines: deque[str] = deque(maxlen=None if whole else 40)

    @property
    def digest(self) -> str:
        """The hash of everything so far."""
        return self._hash.hexdigest()

    def tell(self, at: float, who: str, said: str) -> None:
        """Somebody did something."""
        self._hash.update(f"{at!r} {who} {said}\n".encode())
        if self.whole:
            self.lines.append(f"{self._when(at)}  {who:<12}{said}")

    def committed(self, at: float, who: str, changes: "list[RowChange]") -> int:
        """A commit; says how many events left with it."""
        events = 0
        update = self._hash.update
        for table, before, after in changes:
            row = after or before or {}
            update(f"{table} {row.get('id', row.get('name'))} {row.get('version')} {at!r}\n".encode())
            events += table == "outbox" and before is None
        if self.whole and (told := [line for change in changes if (line := _told(*change))]):
            self.lines.append(f"{self._when(at)}  {who:<12}commits {'; '.join(told)}")
        return events

    def _when(self, at: float) -> str:
        return f"{self._start + timedelta(microseconds=round(at * 1e6)):%a %d %b %H:%M:%S.%f}"[:-3]


def _told(table: str, before: Any, after: Any) -> str:
    if table == "outbox":
        if before is None:
            return f"event {after['name']}" + (f" due {after['due_at']:%d %b %H:%M:%S}" if after["scheduled"] else "")
        if after is not None and after["dead_at"] != before["dead_at"]:
            return f"event {after['name']} given up: {after['last_error']}"
        return ""
    columns = _TOLD.get(table)
    if columns is None:
        return ""
    row = after or before
    named = f"{table.removesuffix('s')} {str(row.get('id', ''))[-6:]}"
    if before is None:
        return f"new {named} " + ", ".join(f"{column} {_shown(after[column])}" for column in columns)
    if after is None:
        return f"{named} removed"
    moved = [f"{c} {_shown(before[c])} -> {_shown(after[c])}" for c in columns if before[c] != after[c]]
    return f"{named} " + ", ".join(moved) if moved else ""


def _shown(value: Any) -> str:
    starts_at = getattr(value, "starts_at", None)
    return f"{starts_at:%d %b %H:%MZ}" if starts_at else str(value)
