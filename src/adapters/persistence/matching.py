"""Criteria and orders, interpreted over rows as PostgreSQL would."""

from collections.abc import Callable, Iterable
from typing import Any

from adapters.persistence.schema.tables import Row
from application.ports.criteria import AnyOf, Between, Criteria, Order, Overlaps, Position, Present


def matches(row: Row, criteria: Criteria) -> bool:
    """Whether every condition holds for this row; an empty column fulfils none but equality with None."""
    return all(_holds(row[column], wanted) for column, wanted in criteria.items())


def _holds(value: Any, wanted: object) -> bool:
    match wanted:
        case None:
            return value is None
        case Present():
            return value is not None
        case _ if value is None:
            return False
        case AnyOf(values):
            return value in values
        case Between(at_least, below):
            return (at_least is None or value >= at_least) and (below is None or value < below)
        case Overlaps(span):
            return bool(value.overlaps(span))
        case _:
            return bool(value == wanted)


def sorted_rows(
    rows: Iterable[Row], order: Order, *, after: Position | None = None, limit: int | None = None
) -> list[Row]:
    """The rows in order after a position, at most `limit`; empty values come last, as NULLs do ascending."""
    key = _key(order)
    ordered = sorted(rows, key=key, reverse=order.descending)
    if after is not None:
        mark = _rank(after[0], after[-1])
        ordered = [row for row in ordered if (key(row) < mark if order.descending else key(row) > mark)]
    return ordered[:limit]


def _key(order: Order) -> Callable[[Row], Any]:
    return lambda row: _rank(row[order.by], row["id"] if "id" in row else row["name"])


def _rank(value: Any, tie: Any) -> Any:
    return (value is None, value if value is not None else 0, tie)
