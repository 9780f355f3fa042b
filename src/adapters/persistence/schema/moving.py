"""Moves of this house, into it and out of it, and what has changed while one is under way."""

from adapters.persistence.schema.tables import Check, Index, Table, identity, instant, json, text
from domain.moving import Leaving, MoveState

_STATES = tuple(dict.fromkeys(state.value for state in (*MoveState, *Leaving)))

MOVES = Table(
    "moves",
    (
        *identity(),
        text("role"),
        text("origin"),
        text("state"),
        json("progress"),
        instant("lease_until", nullable=True),
        instant("started_at"),
        instant("changed_at"),
    ),
    constraints=(
        Check("moves_role", "role in ('arriving', 'leaving')", lambda row: row["role"] in ("arriving", "leaving")),
        Check(
            "moves_state",
            f"state in ({', '.join(repr(state) for state in _STATES)})",
            lambda row: row["state"] in _STATES,
        ),
    ),
)
"""Version is the fence: taking a move up raises it, so what a former mover still has in flight is refused."""

MOVE_CHANGES = Table(
    "move_changes",
    (*identity(), text("source"), text("key")),
    indexes=(Index("move_changes_source", ("source",)),),
)
"""Which rows have changed and are to be carried over; a note goes once that is done."""

TABLES = (MOVES, MOVE_CHANGES)

OURS = frozenset(table.name for table in TABLES)
"""These two tell of moves, and are not moved."""
