"""Rows as they travel: what PostgreSQL's `to_jsonb` makes of them, said once in Python for a store that has none."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import md5
from json import dumps
from typing import Any
from uuid import UUID

from adapters.persistence.schema.tables import Row, Table, Type
from application.ports.moving import Record
from domain.shared.time import Span


def record(table: Table, row: Row) -> Record:
    """The row on its way."""
    return {column.name: _told(column.type, row[column.name]) for column in table.columns}


def row(table: Table, record: Mapping[str, Any]) -> Row:
    """The row as it is kept."""
    return {column.name: _read(column.type, record[column.name]) for column in table.columns}


def weight(record: Mapping[str, Any]) -> str:
    """What the row weighs: the hash of its text."""
    return md5(_text(record).encode(), usedforsecurity=False).hexdigest()


def share(weight: str) -> int:
    """What a row of that weight adds to the sum of its stretch."""
    return int.from_bytes(bytes.fromhex(weight[:16]), signed=True)


def _told(kind: Type, value: Any) -> Any:
    turn = _TELL.get(kind)
    return value if value is None or turn is None else turn(value)


def _read(kind: Type, value: Any) -> Any:
    turn = _READ.get(kind)
    return value if value is None or turn is None else turn(value)


def _moment(value: datetime, between: str = "T", offset: str = "+00:00") -> str:
    inside = value.astimezone(UTC)
    fraction = f".{inside.microsecond:06d}".rstrip("0") if inside.microsecond else ""
    return f"{inside:%Y-%m-%d}{between}{inside:%H:%M:%S}{fraction}{offset}"


def _stretch(value: Span) -> str:
    return f'["{_moment(value.starts_at, " ", "+00")}","{_moment(value.ends_at, " ", "+00")}")'


def _span(value: str) -> Span:
    begins, ends = (datetime.fromisoformat(end.strip('[")')) for end in value.split(","))
    return Span(begins, ends)


_TELL: dict[Type, Callable[[Any], Any]] = {
    Type.UUID: str,
    Type.INSTANT: _moment,
    Type.DATE: date.isoformat,
    Type.SPAN: _stretch,
}
_READ: dict[Type, Callable[[Any], Any]] = {
    Type.UUID: UUID,
    Type.INSTANT: datetime.fromisoformat,
    Type.DATE: date.fromisoformat,
    Type.SPAN: _span,
}


def _text(value: Any) -> str:
    """JSON as jsonb spells it: short keys first, a space after comma and colon, numbers without an exponent."""
    match value:
        case Mapping():
            ordered = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0].encode()))
            return "{" + ", ".join(f"{_text(key)}: {_text(each)}" for key, each in ordered) + "}"
        case list() | tuple():
            return "[" + ", ".join(_text(each) for each in value) + "]"
        case float():
            return format(Decimal(repr(value)), "f")
    return dumps(value, ensure_ascii=False)
