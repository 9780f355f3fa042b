"""Values on the wire: text in filters, JSON in calls, and rows back as ours."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from adapters.persistence.schema import columns_of
from adapters.persistence.schema.tables import Column, Row, Type
from adapters.persistence.values import fitting
from domain.shared.time import Span

Turn = Callable[[Any], Any]


def told(column: Column, value: Any) -> Any:
    """The value in the JSON of a call; what no column could hold is refused."""
    fits = fitting(column, value)
    turn = _TOLD.get(column.type)
    return fits if turn is None or fits is None else turn(fits)


def written(column: Column, value: Any) -> str:
    """The value in a filter, which is not empty there."""
    said = told(column, value)
    if isinstance(said, str) and column.type is not Type.JSON:
        return said
    return orjson.dumps(said).decode()


def received(source: str, row: Mapping[str, Any]) -> Row:
    """The row of a table or view as PostgREST sent it, as one of ours."""
    mine = dict(row)
    for name, turn in _turns(source).items():
        if mine.get(name) is not None:
            mine[name] = turn(mine[name])
    return mine


def span(text: str) -> Span:
    """A range as PostgreSQL writes it, `["2026-03-02 09:00:00+00","2026-03-02 10:00:00+00")`."""
    starts, ends = text[1:-1].replace('"', "").split(",")
    return Span(datetime.fromisoformat(starts), datetime.fromisoformat(ends))


def instant(text: str) -> datetime:
    """A moment of whatever offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


@lru_cache
def _turns(source: str) -> Mapping[str, Turn]:
    return {name: _RECEIVED[column.type] for name, column in columns_of(source).items() if column.type in _RECEIVED}


_TOLD: dict[Type, Turn] = {
    Type.UUID: str,
    Type.INSTANT: datetime.isoformat,
    Type.DATE: date.isoformat,
    Type.SPAN: lambda span: f"[{span.starts_at.isoformat()},{span.ends_at.isoformat()})",
}
_RECEIVED: dict[Type, Turn] = {
    Type.UUID: UUID,
    Type.INSTANT: instant,
    Type.DATE: date.fromisoformat,
    Type.SPAN: span,
}
