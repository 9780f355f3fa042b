"""Values between our rows and asyncpg: spans are ranges there, jsonb is text, instants come back in UTC."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy.dialects import postgresql

from adapters.persistence import refusals
from adapters.persistence.schema.tables import Column, Row
from domain.shared.time import Span

_NAMES = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Json:
    """A JSON list inside an array of jsonb, where asyncpg would take a bare list for another dimension."""

    value: Any


def sent(value: Any) -> Any:
    """The value as asyncpg takes it. What the driver would bend to fit is refused: a moment without an offset, which it
    takes for local time, and a fraction, which it cuts."""
    turn = _TURNS.get(type(value))
    return turn(value) if turn else value


def received(record: Mapping[str, Any], spans: Iterable[str]) -> Row:
    """The record as a row; `spans` names the columns that hold ranges."""
    row = dict(record)
    for column in spans:
        if (value := row.get(column)) is not None:
            row[column] = Span(value.lower, value.upper)
    return row


def cast(column: Column) -> str:
    """The SQL name of the column's type."""
    return column.type.value


def quoted(name: str) -> str:
    """The name as SQL takes it, in quotes where it is a reserved word."""
    return _NAMES.quote(name)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise refusals.unstorable()
    return moment


def _whole(_: float) -> None:
    raise refusals.unstorable()


_TURNS: dict[type, Callable[[Any], Any]] = {
    Span: lambda span: asyncpg.Range(span.starts_at, span.ends_at),
    list: _Json,
    datetime: _aware,
    float: _whole,
}


async def use_json(connection: Any) -> None:
    """Let this connection speak jsonb as Python values."""
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_as_text, decoder=orjson.loads)


def _as_text(value: Any) -> str:
    return orjson.dumps(value.value if isinstance(value, _Json) else value).decode()
