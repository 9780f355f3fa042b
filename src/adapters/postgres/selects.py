"""Selects by shape: declared with SQLAlchemy, compiled once, run as text ever after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from adapters.persistence.schema import TABLES, VIEWS
from adapters.persistence.schema.tables import Column, Table, Type
from adapters.postgres.metadata import TYPES, metadata
from adapters.postgres.values import sent
from application.ports.criteria import AnyOf, Between, Criteria, Order, Overlaps, Position, Present

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]
_META = metadata()


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
) -> tuple[Statement, list[Any]]:
    """The statement of this shape, and its arguments for these values."""
    shape = tuple((column, _shape(wanted)) for column, wanted in criteria.items())
    statement = _compiled(source, tuple(columns), shape, order, after is not None, limit is not None)
    values: dict[str, Any] = {}
    for column, wanted in criteria.items():
        match wanted:
            case AnyOf(options):
                values[column] = [sent(option) for option in options]
            case Between(at_least, below):
                values[f"{column}_from"], values[f"{column}_to"] = at_least, below
            case Overlaps(span):
                values[column] = sent(span)
            case _:
                values[column] = sent(wanted)
    if after is not None:
        values["after_value"], values["after_id"] = after[0], after[-1]
    values["limit"] = limit
    return statement, [values[name] for name in statement.wanted]


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
    paged: bool,
    limited: bool,
) -> Statement:
    declared = columns_of(source)
    table = _META.tables.get(source)
    if table is None:
        table = sa.Table(source, sa.MetaData(), *(sa.Column(name, TYPES[c.type]) for name, c in declared.items()))
    query = sa.select(*(table.c[name] for name in columns))
    for column, kind in shape:
        query = query.where(_condition(table.c[column], kind))
    tie = "name" if source == "tallies" else "id"
    keys = [table.c[order.by]] if order.by == tie else [table.c[order.by], table.c[tie]]
    if paged:
        names = ["after_id"] if order.by == tie else ["after_value", "after_id"]
        mark = sa.tuple_(*(sa.bindparam(name, type_=key.type) for name, key in zip(names, keys, strict=True)))
        here = sa.tuple_(*keys)
        query = query.where(here < mark if order.descending else here > mark)
    query = query.order_by(*(key.desc() if order.descending else key.asc() for key in keys))
    if limited:
        query = query.limit(sa.bindparam("limit", type_=sa.BigInteger()))
    compiled = query.compile(dialect=_DIALECT)
    spans = tuple(name for name in columns if declared[name].type is Type.SPAN)
    return Statement(str(compiled), tuple(compiled.positiontup or ()), spans)


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
    conditions = []
    if "_from" in kind:
        conditions.append(column >= sa.bindparam(f"{name}_from", type_=column.type))
    if "_to" in kind:
        conditions.append(column < sa.bindparam(f"{name}_to", type_=column.type))
    return sa.and_(sa.true(), *conditions)


def columns_of(source: str) -> Mapping[str, Column]:
    """The declared columns of a table or view, by the name a reader uses."""
    if source in TABLES:
        return {column.name: column for column in TABLES[source].columns}
    view = VIEWS[source]
    base = TABLES[view.base]
    found = {name: base.column(name) for name in view.columns}
    for join in view.joins:
        other: Table = TABLES[join.table]
        found.update({name: other.column(column) for name, column in join.columns.items()})
    return found
