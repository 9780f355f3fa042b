"""A change set as the steps every database takes, in the one order: locks, tallies, guards, then the writes.

Rows of one table and kind are one step, so that the shape of a commit depends on the kinds of change only, and not on
how many there are. A step that does not do all of its work stops the whole (`refusals.stopped`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from adapters.persistence.ordering import turn
from adapters.persistence.schema import RANK, TABLES
from adapters.persistence.schema.tables import Column, identity, integer, text
from adapters.persistence.store import Changes, Delete, Update, Write

Part = tuple[str, str]
"""What a step does ("lock", "raise", "lower", "guard", "delete", "update", "insert", "number") and to which table."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its part, and what it is done to, a tuple for each. An insert or update carries the row's columns in
    the order they are declared, an update the expected version before them; "number" is an insert that names behind
    them the tally each numbered column takes its value from, and of a receipt the field of its answer and the tally."""

    part: Part
    rows: list[tuple[Any, ...]]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the values of a row are."""
        return columns(self.part)


def steps(changes: Changes) -> Iterator[Step]:
    """The steps of this change set."""
    if changes.locks:
        yield Step(("lock", ""), [(key,) for key in sorted(changes.locks)])
    tallies = sorted(changes.tallies, key=lambda tally: tally.name)
    if raised := [tally for tally in tallies if tally.by > 0]:
        yield Step(("raise", ""), [(t.name, t.by, t.ceiling) for t in raised])
    if lowered := [tally for tally in tallies if tally.by < 0]:
        yield Step(("lower", ""), [(t.name, t.by) for t in lowered])
    guards = sorted(changes.guards, key=lambda guard: (RANK[guard.table], guard.id))
    for table, members in groupby(guards, key=lambda guard: guard.table):
        yield Step(("guard", table), [(g.id, g.version) for g in members])
    for _, group in groupby(sorted(changes.writes, key=turn), key=turn):
        writes = list(group)
        yield _writes(writes[0].table, type(writes[0]), writes)


@lru_cache(maxsize=1024)
def columns(part: Part) -> tuple[Column, ...]:
    """What the values of a row of such a step are."""
    kind, table = part
    match kind:
        case "lock":
            return (text("key"),)
        case "raise":
            return (text("name"), integer("by"), integer("ceiling", nullable=True))
        case "lower":
            return (text("name"), integer("by"))
        case "guard" | "delete":
            return identity()
    declared = TABLES[table]
    match kind:
        case "update":
            return (integer("expected"), *declared.columns)
        case "number" if table == "receipts":
            return (*declared.columns, text("field", nullable=True), text("series", nullable=True))
        case "number":
            return (*declared.columns, *(text(f"{name}_series", nullable=True) for name in declared.numbered))
    return declared.columns


def _writes(table: str, kind: type[Write], writes: Sequence[Any]) -> Step:
    if kind is Delete:
        return Step(("delete", table), [(w.id, w.expected) for w in writes])
    declared = TABLES[table]
    pick = itemgetter(*declared.names)
    if kind is Update:
        return Step(("update", table), [(w.expected, *pick(w.row)) for w in writes])
    if not any(write.numbers for write in writes):
        return Step(("insert", table), [pick(w.row) for w in writes])
    if table == "receipts":
        return Step(("number", table), [(*pick(w.row), *next(iter(w.numbers.items()), (None, None))) for w in writes])
    return Step(("number", table), [(*pick(w.row), *(w.numbers.get(n) for n in declared.numbered)) for w in writes])
