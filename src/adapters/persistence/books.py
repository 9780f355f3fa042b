"""What a doctor wants to know of the rows, and how it is found where no query can ask it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.persistence.store import Store
from application.ports.criteria import Between, Order

BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What a look at the rows showed."""

    unbalanced: int
    """Transactions of the ledger that do not sum to zero."""
    entries: int
    oldest_due: datetime | None
    """Since when the oldest event waits that is due and not given up."""


async def read_books(store: Store, *, at: datetime) -> Books:
    """The books, read row by row."""
    sums: Counter[tuple[UUID, str]] = Counter()
    entries, after = 0, None
    while page := await store.load("ledger", {}, after=after, limit=BATCH):
        for row in page:
            sums[row["transaction_id"], row["amount_currency"]] += row["amount_minor"]
        entries, after = entries + len(page), (page[-1]["id"], page[-1]["id"])
    waiting = {"finished_at": None, "dead_at": None, "due_at": Between(below=at)}
    oldest = await store.load("outbox", waiting, order=Order("due_at"), limit=1)
    return Books(
        unbalanced=sum(balance != 0 for balance in sums.values()),
        entries=entries,
        oldest_due=oldest[0]["due_at"] if oldest else None,
    )
