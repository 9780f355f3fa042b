"""What a column can hold, the same on every store: what no database could is refused before one is asked."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

from adapters.persistence import refusals
from adapters.persistence.schema.tables import Column, Type
from application.ports.criteria import AnyOf, Between, Criteria, Overlaps, Position, Present
from domain.shared.time import Span

LEAST, MOST = -(2**63), 2**63 - 1
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def fitting(column: Column, value: Any) -> Any:
    """The value as a column of that type holds it, or the refusal."""
    if value is None:
        return None
    try:
        return FIT[column.type](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusals.unstorable() from error


def asked(columns: Mapping[str, Column], criteria: Criteria) -> None:
    """Refuse questions with values that no column could hold."""
    for name, wanted in criteria.items():
        match wanted:
            case Present():
                values: tuple[object, ...] = ()
            case AnyOf(options):
                values = options
            case Between(at_least, below):
                values = (at_least, below)
            case Overlaps(span):
                values = (span,)
            case _:
                values = (wanted,)
        for value in values:
            fitting(columns[name], value)


def placed(column: Column, after: Position | None) -> None:
    """Refuse positions that no row could have."""
    if after is not None:
        fitting(column, after[0])


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    if not value.isascii():
        value.encode()
    return str(value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or not LEAST <= value <= MOST:
        raise ValueError("no 64-bit integer")
    return int(value)


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("no instant")
    return value.astimezone(UTC)


def _json(value: Any) -> Any:
    told = orjson.dumps(value)
    if b"\\u0000" in told and _NUL.search(told):
        raise ValueError("no text")
    return orjson.loads(told)


def _of(kind: type) -> Callable[[Any], Any]:
    def fit(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"no {kind.__name__}")
        return value

    return fit


FIT: dict[Type, Callable[[Any], Any]] = {
    Type.UUID: _of(UUID),
    Type.TEXT: _text,
    Type.BIGINT: _number,
    Type.BOOLEAN: _of(bool),
    Type.INSTANT: _instant,
    Type.DATE: _of(date),
    Type.JSON: _json,
    Type.SPAN: _of(Span),
}
