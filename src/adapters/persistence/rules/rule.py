"""The vocabulary rules are written in: each is read twice, over rows in Python and by PostgreSQL, with one answer."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from adapters.persistence.schema.tables import Row

Tables: TypeAlias = Mapping[str, Mapping[Any, Row]]
"""The state of the system: table name to its rows by key."""
Keys: TypeAlias = Callable[[Row], Iterable[Hashable]]
Key: TypeAlias = str | Keys
"""How a row finds its groups: a column whose value is the key (an empty one is in no group), or a function that gives
any number of keys."""


@dataclass(frozen=True, slots=True)
class Group:
    """What one rule judges at once: the rows of its tables that share a key, in no order."""

    key: Any
    tables: Mapping[str, Mapping[Hashable, Mapping[Any, Row]]]

    def __getitem__(self, table: str) -> Sequence[Row]:
        found = self.tables[table].get(self.key)
        return list(found.values()) if found else ()


ASIDE: Mapping[str, frozenset[str]] = {
    "outbox": frozenset({"version", "leased_until", "attempts", "last_error"}),
    "audit": frozenset({"version", "position", "hash"}),
    "ledger": frozenset({"version", "position", "hash"}),
}
"""Columns that move while what a row tells stays the same: half of all changes are leases and seals. A rule that does
not mind them is not asked again when nothing else changed, and may be shown such columns as they once were."""

Found: TypeAlias = Iterable[tuple[Hashable, str]]
"""What is wrong with a group: subjects, each with a sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """One rule that does not hold, about what, and how it shows."""

    code: str
    name: str
    subject: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """Holds in every state. `by` says for each table it reads what its rows are grouped by; every group is judged
    alone, so that after a change only the groups it touched need a look. `sql` selects the offending (subject, said)
    and must find the same subjects. `means` says what it is to the business when broken, `mend` what to do."""

    code: str
    name: str
    says: str
    means: str
    mend: str
    by: Mapping[str, Key]
    broken: Callable[[Group], Found]
    sql: str
    minds: bool = False
    """Whether it reads what leases and seals move: see `ASIDE`."""

    def found(self, group: Group) -> list[Broken]:
        """How it is broken in this group; empty when it holds."""
        return [Broken(self.code, self.name, str(subject), said) for subject, said in self.broken(group)]


@dataclass(frozen=True, slots=True)
class Change:
    """One row in one commit: as it was (None: new), as it is (None: gone), and everything else after that commit."""

    before: Row | None
    after: Row | None
    tables: Tables

    @property
    def moved(self) -> tuple[Row, Row] | None:
        """Both sides of a row that was there and still is."""
        return None if self.before is None or self.after is None else (self.before, self.after)

    def keeps(self, *columns: str) -> bool:
        """Whether these columns are as they were; nothing is kept by a row that is gone, all by a new one."""
        if self.moved is None:
            return self.before is None
        was, row = self.moved
        return all(was[column] == row[column] for column in columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """Holds for every change of a row. Rows no longer show what they were, so PostgreSQL's reading, where there is
    one, is of the guard in its catalog; otherwise `instead` names the rule that reads a trace, or the test."""

    code: str
    name: str
    says: str
    means: str
    mend: str
    table: str
    holds: Callable[[Change], bool]
    sql: str | None = None
    instead: str = ""

    def found(self, change: Change) -> list[Broken]:
        """How this change breaks it; empty when it holds."""
        if self.holds(change):
            return []
        row = change.after or change.before or {}
        return [Broken(self.code, self.name, str(row.get("id", row.get("name"))), _told(change))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Liveness:
    """Once nothing fails any more, nothing waits for long. `since` says from when on a row has been waiting, None when
    it waits for nothing; `grace` is what waiting a healthy house may need. `sql` selects those (subject, said) that
    wait since before $1."""

    code: str
    name: str
    says: str
    means: str
    mend: str
    table: str
    grace: timedelta
    since: Callable[[Row], datetime | None]
    sql: str


@lru_cache
def together(*columns: str) -> Keys:
    """Rows that agree in all these columns; one with an empty column is in no group."""

    def keys(row: Row) -> Iterable[Hashable]:
        values = tuple(row[column] for column in columns)
        return () if None in values else (values,)

    return keys


@lru_cache
def told_of(*tables: str) -> Keys:
    """Audit rows about rows of these tables, by the id of what they tell of."""
    return lambda row: (row["subject_id"],) if row["subject_table"] in tables else ()


@lru_cache
def posted(payload: str, *events: str) -> Keys:
    """Unfinished events of these names, by the id their payload gives under that name. What an operator has to look at
    (a dead letter) is unfinished too."""

    def keys(row: Row) -> Iterable[Hashable]:
        if row["finished_at"] is not None or row["name"] not in events:
            return ()
        value = row["payload"].get(payload)
        return () if value is None else (UUID(value),)

    return keys


@lru_cache
def series(prefix: str) -> Keys:
    """Tallies of that prefix, by the id behind it."""
    return lambda row: (UUID(row["name"][len(prefix) :]),) if row["name"].startswith(prefix) else ()


def each(table: str, wrong: Callable[[Row], str | None]) -> Callable[[Group], Found]:
    """Every row alone: `wrong` says what is wrong with it, None when nothing is."""

    def broken(group: Group) -> Found:
        for row in group[table]:
            if said := wrong(row):
                yield row["id"], said

    return broken


def alone(table: str, said: str) -> Callable[[Group], Found]:
    """At most one row in each group."""

    def broken(group: Group) -> Found:
        rows = group[table]
        return ((row["id"], said) for row in rows) if len(rows) > 1 else ()

    return broken


def on_its_way(
    table: str, state: str, event: str, payload: str, *, code: str, says: str, means: str, column: str = "state"
) -> Rule:
    """A row in that state has an unfinished event that will take it further."""
    said = f"it is {state}, and no {event} is on its way"

    def broken(group: Group) -> Found:
        waiting = [row for row in group[table] if row[column] == state]
        return ((row["id"], said) for row in waiting if not group["outbox"])

    return Rule(
        code=code,
        name=f"{state}_{table}_are_on_their_way",
        says=says,
        means=means,
        mend="find the lost event in the audit trail of the subject, then bring it about again by hand",
        by={table: "id", "outbox": posted(payload, event)},
        broken=broken,
        # Names of ours only, none given by anybody.
        sql=f"""
            select waits.id::text as subject, '{said}' as said from {table} waits
            where waits.{column} = '{state}' and not exists (
              select from outbox o
              where o.finished_at is null and o.name = '{event}' and o.payload ->> '{payload}' = waits.id::text)
        """,  # noqa: S608
    )


def _told(change: Change) -> str:
    if change.before is None:
        return "it was made like that"
    if change.after is None:
        return "it was removed"
    moved = [name for name, value in change.after.items() if change.before[name] != value and name != "version"]
    return "; ".join(f"{name}: {change.before[name]} -> {change.after[name]}" for name in moved)
