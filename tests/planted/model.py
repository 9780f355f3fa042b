"""Differences the stateful model must find: between the two houses, or between both and what anybody expects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from adapters.memory.store import MemoryStore
from adapters.memory.tables import MemoryTable
from adapters.persistence.receipts import StoredReceipts
from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Excludes, Row, Unique
from application.commands import Command
from application.ports.criteria import Criteria, Order, Overlaps, Position
from domain.identity import IdentityRules
from domain.shared.actors import SYSTEM, Actor
from domain.shared.terms import CancellationPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A difference: other ports in the houses of these names, statements on the database (and their undoing), or
    anything for the length of a block. `parts` says which of the machine's rules to look with, `on_postgres` whether it
    takes both houses, `shows_by` which few rules are enough."""

    ports: Mapping[tuple[str, str], Callable[[Any], Any]] | None = None
    sql: tuple[str, str] | None = None
    block: Callable[[], AbstractContextManager[Any]] | None = None
    parts: str = "work"
    on_postgres: bool = False
    shows_by: tuple[str, ...] = ()

    @contextmanager
    def planted(self, pair: Any) -> Iterator[None]:
        """The difference is there for the length of the block."""
        houses = {house.name: house for house in pair.houses}
        with ExitStack() as stack:
            for (name, port), make in (self.ports or {}).items():
                for house in houses.values() if name == "both" else [houses[name]]:
                    stand = house.stands[port]
                    stack.callback(setattr, stand, "now", stand.real)
                    stand.now = make(stand.real)
            if self.sql:
                owner = houses["postgres"].owner
                stack.callback(lambda: pair.runner.run(owner.execute(self.sql[1])))  # type: ignore[index]
                pair.runner.run(owner.execute(self.sql[0]))
            if self.block:
                stack.enter_context(self.block())
            yield


class KindToReviewers(MemoryStore):
    """Takes a second review of the same booking by the same side."""

    def __init__(self, _: Any = None) -> None:
        super().__init__()
        self.tables["reviews"] = _without("reviews", Unique)


class KindToCustomers(MemoryStore):
    """Lets two have the same provider's time."""

    def __init__(self, _: Any = None) -> None:
        super().__init__()
        self.tables["bookings"] = _without("bookings", Excludes)

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        if any(isinstance(wanted, Overlaps) for wanted in criteria.values()):
            return []
        return await super().load(table, criteria, order=order, after=after, limit=limit)


class ShowsAll:
    """A reader who shows everybody's bookings to anybody."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    async def rows(self, actor: Actor, source: str, *asked: Any, **more: Any) -> Any:
        """The rows, as the house itself sees them where they are bookings."""
        return await self._sound.rows(SYSTEM if source == "bookings" else actor, source, *asked, **more)


class StartsOver:
    """A reader who forgets where the page before ended among equals."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    async def rows(self, actor: Actor, source: str, *asked: Any, order: Order, **more: Any) -> Any:
        """The rows, the oldest first."""
        return await self._sound.rows(actor, source, *asked, order=replace(order, descending=False), **more)


def _without(name: str, kind: type) -> MemoryTable:
    declared = TABLES[name]
    kept = tuple(each for each in declared.constraints if not isinstance(each, kind))
    return MemoryTable(replace(declared, constraints=kept))


def _all_of_it(_: CancellationPolicy, __: datetime, ___: datetime) -> int:
    return 100


async def _nothing_kept(_: StoredReceipts, __: Command) -> None:
    return None


def _long_grace(_: Any) -> IdentityRules:
    return IdentityRules(reuse_grace=timedelta(days=30))


PLANTED: dict[str, Planted] = {
    "memory takes a second review": Planted(
        ports={("memory", "store"): KindToReviewers}, shows_by=("review", "respond")
    ),
    "memory does not judge who overlaps": Planted(ports={("memory", "store"): KindToCustomers}),
    "memory's reader shows all bookings": Planted(ports={("memory", "views"): ShowsAll}),
    "a reader sorts the other way": Planted(ports={("postgres", "views"): StartsOver}, on_postgres=True),
    "a policy of the database is gone": Planted(
        sql=(
            "alter table bookings disable row level security",
            "alter table bookings enable row level security",
        ),
        on_postgres=True,
        shows_by=("read_booking", "read_job"),
    ),
    "the policy gives everything back": Planted(
        block=lambda: patch.object(CancellationPolicy, "refund_percent", _all_of_it),
        shows_by=("cancel", "time_passes"),
    ),
    "receipts are not looked for": Planted(block=lambda: patch.object(StoredReceipts, "find", _nothing_kept)),
    "old refresh tokens are good for a month": Planted(ports={("both", "identity_rules"): _long_grace}, parts="people"),
}
"""Each by what it does; the machine must find every one of them."""
