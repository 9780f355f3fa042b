"""The small port a database adapter implements. Collections, mapping and tracking stand on it, written once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from adapters.persistence.schema.tables import Row
from application.ports.criteria import Criteria, Order, Position
from domain.shared.actors import Actor


@dataclass(frozen=True, slots=True)
class Tally:
    """Move the counter `name` by `by`, not past `ceiling` and never below zero."""

    name: str
    by: int
    ceiling: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The row of that id must still have that version."""

    table: str
    id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row. `numbers` maps a numbered column to the tally whose new value it takes."""

    table: str
    row: Row
    numbers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Update:
    """The row as it shall be; it must be stored with version `expected` now. `row["version"]` is the next one."""

    table: str
    row: Row
    expected: int


@dataclass(frozen=True, slots=True)
class Delete:
    """The row of that id goes; it must be stored with version `expected` now."""

    table: str
    id: UUID
    expected: int


Write = Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class Changes:
    """All that one unit of work wants to be true at once. A store applies all of it or nothing, in one fixed order:
    locks, tallies, guards, then tables in foreign-key order, within a table deletes, updates, inserts."""

    locks: tuple[str, ...] = ()
    tallies: tuple[Tally, ...] = ()
    guards: tuple[Guard, ...] = ()
    writes: tuple[Write, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.tallies or self.writes)


Numbers = dict[str, int]
"""Tally name to its value after the commit."""


class Store(Protocol):
    """Rows in, rows out. Refusals are ours: a constraint's refusal comes from `refusals.py`, a stale version is
    `StaleVersion`, a store that does not answer `Unavailable`, a commit with no reply `OutcomeUnknown`."""

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        """The rows that match, in order, whole; each call sees one consistent state."""
        ...

    async def count(self, table: str, criteria: Criteria) -> int:
        """How many rows match; none of them travels."""
        ...

    async def commit(self, changes: Changes) -> Numbers:
        """Apply all of it or nothing."""
        ...

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        """Lease due events for this worker: none whose aggregate has an earlier event unfinished. Scheduled events
        stand outside that order."""
        ...


class Views(Protocol):
    """Rows of tables and views as one actor may see them."""

    async def rows(
        self,
        actor: Actor,
        source: str,
        columns: Sequence[str],
        criteria: Criteria,
        *,
        order: Order,
        after: Position | None,
        limit: int,
    ) -> Sequence[Row]:
        """At most `limit` rows with just these columns (and those of `order`), visibility applied."""
        ...
