"""A whole house in memory for tests: the shipped memory adapters, a clock that stands still, ids from a seed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from adapters.local_identity import HouseSeal, NoUsers
from adapters.memory.search import MemoryJobSearch
from adapters.memory.store import MemoryStore
from adapters.memory.views import MemoryViews
from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.busy import StoredBusyTimes
from adapters.persistence.chains import StoredAuditTrail, StoredLedgerChain
from adapters.persistence.outbox import StoredOutbox
from adapters.persistence.readers import StoredReaders
from adapters.persistence.receipts import StoredReceipts
from adapters.persistence.security import StoredSecurityLog
from adapters.persistence.store import Store, Views
from adapters.persistence.unit_of_work import StoredBegin
from adapters.system.chance import NoPause
from adapters.system.clock import StandingClock
from adapters.system.ids import SeededIds
from application.commands import Perform
from application.ports.jobs import JobSearch
from application.ports.wake import Wake
from domain.shared.aggregate import Event
from entrypoints.use_cases import UseCases
from entrypoints.worker.delivery import Deliver

U = TypeVar("U")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A quiet Monday morning in winter time; most stories begin here."""


class Nudges(Wake):
    """Counts pokes instead of waking anybody."""

    def __init__(self) -> None:
        self.count = 0

    def poke(self) -> None:
        """One more."""
        self.count += 1


class House:
    """The business in one process. `use(CancelBooking)` is the use case wired to this house's ports; further ports
    (gateways, mailers, identity) are given by keyword and found in `ports`."""

    def __init__(
        self,
        *,
        now: datetime = MONDAY,
        seed: int = 1,
        store: Store | None = None,
        views: Views | None = None,
        job_search: JobSearch | None = None,
        **ports: Any,
    ) -> None:
        memory = MemoryStore()
        self.store: Any = store or memory
        self.views = views or MemoryViews(memory)
        self.clock = StandingClock(now)
        self.ids = SeededIds(self.clock, seed=seed)
        self.wake = Nudges()
        self.begin = StoredBegin(store=self.store, clock=self.clock, ids=self.ids, wake=self.wake)
        self.readers = StoredReaders(self.views)
        self.perform = Perform(receipts=StoredReceipts(self.store), clock=self.clock, ids=self.ids, chance=NoPause())
        self.outbox = StoredOutbox(self.store, self.clock)
        self.ports: dict[str, Any] = {
            "begin": self.begin,
            "clock": self.clock,
            "ids": self.ids,
            "readers": self.readers,
            "hold": timedelta(minutes=15),
            "busy_times": StoredBusyTimes(self.views),
            "job_search": job_search or MemoryJobSearch(memory),
            "accounts": StoredAccounts(self.views),
            "security_log": StoredSecurityLog(self.store, self.clock, self.ids),
            "foreign_users": NoUsers(),
            "sealed_secrets": HouseSeal("a key for seals, used in tests only"),
            "trail": StoredAuditTrail(self.store),
            "ledger_chain": StoredLedgerChain(self.store),
            **ports,
        }
        self.use = UseCases(self.ports)

    def deliver(self, *events: type) -> Deliver:
        """The worker of this house; with `events`, only the reactions to these (the others have none)."""
        wanted: Mapping[type[Event], Any] = self.use.reactions()
        if events:
            wanted = {event: wanted[event] for event in events}
        return Deliver(outbox=self.outbox, reactions=wanted, perform=self.perform, clock=self.clock)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the memory store, oldest first."""
        return [dict(row) for row in self.store.tables[table].rows.values()]

    def events(self) -> list[str]:
        """The names of all events recorded so far, in order of their recording."""
        return [row["name"] for row in self.rows("outbox")]
