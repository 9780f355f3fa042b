"""The one order in which every store writes: tables in foreign-key order, and within a table what lets go first.

Deletes, then updates that give up an exclusive hold, then other updates, then inserts: so that within one commit time
can pass from one row to another."""

from adapters.persistence.schema import RANK, TABLES
from adapters.persistence.schema.tables import Excludes
from adapters.persistence.store import Delete, Insert, Write

_EXCLUSIVE = {name: tuple(c for c in table.constraints if isinstance(c, Excludes)) for name, table in TABLES.items()}


def turn(write: Write) -> tuple[int, int]:
    """When it is this write's turn."""
    return RANK[write.table], _step(write)


def _step(write: Write) -> int:
    match write:
        case Delete():
            return 0
        case Insert():
            return 3
    lets_go = any(not excludes.where.holds(write.row) for excludes in _EXCLUSIVE[write.table])
    return 1 if lets_go else 2
