"""Selects by shape: declared with SQLAlchemy, compiled once, run as text ever after."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from adapters.persistence.schema import columns_of, may_be_empty
from adapters.persistence.schema.tables import Type
from adapters.postgres.metadata import TYPES, metadata
from adapters.postgres.values import sent
from application.ports.criteria import AnyOf, Between, Criteria, Order, Overlaps, Position, Present

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]
_META = metadata()


# A condition that names no column is judged once, before any row is looked at; so the claims are set, for this one
# statement, when the first policy asks for them. Were they set too late, a user would see less, never more.
_CLAIMED = sa.text("(select set_config('request.jwt.claims', :claims, true)) is not null").bindparams(
    sa.bindparam("claims", type_=sa.Text())
)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text, the parameter names in the order it wants them, and which result columns are spans."""

    sql: str
    wanted: tuple[str, ...]
    spans: tuple[str, ...]


def select(
    source: str,
    columns: Sequence[str],
    criteria: Criteria,
    order: Order,
    after: Position | None,
    limit: int | None,
    *,
    claims: str | None = None,
) -> tuple[Statement, list[Any]]:
    """The statement of this shape, and its arguments for these values; `claims` say who asks."""
    shape = _shapes(criteria)
    statement = _compiled(source, tuple(columns), shape, order, _place(after), limit is not None, claims is not None)
    values = {"limit": limit, "claims": claims, **_values(criteria)}
    if after is not None:
        values["after_value"], values["after_id"] = sent(after[0]), sent(after[-1])
    return statement, [values[name] for name in statement.wanted]


def counting(source: str, criteria: Criteria) -> tuple[Statement, list[Any]]:
    """The statement that counts what matches, and its arguments for these values."""
    statement, values = _counted(source, _shapes(criteria)), _values(criteria)
    return statement, [values[name] for name in statement.wanted]


def _shapes(criteria: Criteria) -> tuple[tuple[str, str], ...]:
    return tuple((column, _shape(wanted)) for column, wanted in criteria.items())


def _values(criteria: Criteria) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column, wanted in criteria.items():
        match wanted:
            case AnyOf(options):
                values[column] = [sent(option) for option in options]
            case Between(at_least, below):
                values[f"{column}_from"], values[f"{column}_to"] = sent(at_least), sent(below)
            case Overlaps(span):
                values[column] = sent(span)
            case _:
                values[column] = sent(wanted)
    return values


def _place(after: Position | None) -> str:
    """Whether a page begins after a row, and after one whose sort value was empty."""
    if after is None:
        return ""
    return "after empty" if after[0] is None else "after"


def _shape(wanted: object) -> str:
    match wanted:
        case None:
            return "null"
        case Present():
            return "present"
        case AnyOf():
            return "any"
        case Overlaps():
            return "overlaps"
        case Between(at_least, below):
            return "between" + ("" if at_least is None else "_from") + ("" if below is None else "_to")
        case _:
            return "is"


@lru_cache(maxsize=2048)
def _compiled(
    source: str,
    columns: tuple[str, ...],
    shape: tuple[tuple[str, str], ...],
    order: Order,
    place: str,
    limited: bool,
    claimed: bool,
) -> Statement:
    declared = columns_of(source)
    table = _META.tables.get(source)
    if table is None:
        table = sa.Table(source, sa.MetaData(), *(sa.Column(name, TYPES[c.type]) for name, c in declared.items()))
    query = sa.select(*(table.c[name] for name in columns))
    if claimed:
        query = query.where(_CLAIMED)
    for column, kind in shape:
        query = query.where(_condition(table.c[column], kind))
    tie = "name" if source == "tallies" else "id"
    keys = [table.c[order.by]] if order.by == tie else [table.c[order.by], table.c[tie]]
    if place:
        never_empty = order.by in dict(shape) or not may_be_empty(source, order.by)
        query = query.where(_beyond(keys, order, place, never_empty))
    query = query.order_by(*(key.desc() if order.descending else key.asc() for key in keys))
    if limited:
        query = query.limit(sa.bindparam("limit", type_=sa.BigInteger()))
    compiled = query.compile(dialect=_DIALECT)
    spans = tuple(name for name in columns if declared[name].type is Type.SPAN)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), spans)


@lru_cache(maxsize=256)
def _counted(source: str, shape: tuple[tuple[str, str], ...]) -> Statement:
    table = _META.tables[source]
    query = sa.select(sa.func.count()).select_from(table)
    for column, kind in shape:
        query = query.where(_condition(table.c[column], kind))
    compiled = query.compile(dialect=_DIALECT)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), ())


def _beyond(keys: Sequence[sa.Column[Any]], order: Order, place: str, never_empty: bool) -> sa.ColumnElement[bool]:
    """The rows after a position. Empty values come last in ascending order and first in descending order, where a
    comparison of pairs would know nothing of them."""
    *sorted_by, tie = keys
    if place == "after empty" and sorted_by:
        id = sa.bindparam("after_id", type_=tie.type)
        empty = sorted_by[0].is_(None)
        return sa.or_(empty & (tie < id), ~empty) if order.descending else empty & (tie > id)
    names = ["after_value", "after_id"][-len(keys) :]
    mark = sa.tuple_(*(sa.bindparam(name, type_=key.type) for name, key in zip(names, keys, strict=True)))
    here = sa.tuple_(*keys)
    if order.descending:
        return here < mark
    return here > mark if never_empty else sa.or_(here > mark, keys[0].is_(None))


def _condition(column: sa.Column[Any], kind: str) -> sa.ColumnElement[bool]:
    name = column.name
    match kind:
        case "null":
            return column.is_(None)
        case "present":
            return column.is_not(None)
        case "any":
            return column == sa.any_(sa.bindparam(name, type_=pg.ARRAY(column.type)))
        case "overlaps":
            return column.op("&&")(sa.bindparam(name, type_=column.type))
        case "is":
            return column == sa.bindparam(name, type_=column.type)
    if kind == "between":
        return column.is_not(None)
    conditions = []
    if "_from" in kind:
        conditions.append(column >= sa.bindparam(f"{name}_from", type_=column.type))
    if "_to" in kind:
        conditions.append(column < sa.bindparam(f"{name}_to", type_=column.type))
    return sa.and_(*conditions)
