"""The declared schema as SQLAlchemy metadata: the source of DDL and of every select."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from adapters.persistence.schema import TABLES
from adapters.persistence.schema.tables import Check, Column, Excludes, Index, References, Table, Type, Unique

TYPES: dict[Type, sa.types.TypeEngine[Any]] = {
    Type.UUID: pg.UUID(as_uuid=True),
    Type.TEXT: sa.Text(),
    Type.BIGINT: sa.BigInteger(),
    Type.BOOLEAN: sa.Boolean(),
    Type.INSTANT: pg.TIMESTAMP(timezone=True),
    Type.DATE: sa.Date(),
    Type.JSON: pg.JSONB(),
    Type.SPAN: pg.TSTZRANGE(),
}


def metadata() -> sa.MetaData:
    """A fresh copy of the whole schema."""
    meta = sa.MetaData()
    for table in TABLES.values():
        _add(meta, table)
    return meta


def _add(meta: sa.MetaData, declared: Table) -> None:
    references = {c.column: c for c in declared.constraints if isinstance(c, References)}
    columns = [_column(column, references.get(column.name)) for column in declared.columns]
    generated = [sa.Column(g.name, _Raw(g.type), sa.Computed(g.sql, persisted=True)) for g in declared.generated]
    key = "name" if declared.columns[0].name == "name" else "id"
    table = sa.Table(
        declared.name, meta, *columns, *generated, sa.PrimaryKeyConstraint(key, name=f"{declared.name}_pkey")
    )
    for constraint in declared.constraints:
        match constraint:
            case Check(name, sql, _):
                table.append_constraint(sa.CheckConstraint(sql, name=name))
            case Unique(name, names, where):
                if where is None:
                    table.append_constraint(sa.UniqueConstraint(*names, name=name))
                else:
                    sa.Index(name, *(table.c[n] for n in names), unique=True, postgresql_where=sa.text(where.sql))
            case Excludes(name, equal, differ, overlap, where):
                table.append_constraint(
                    pg.ExcludeConstraint(
                        (equal, "="), (differ, "<>"), (overlap, "&&"), name=name, using="gist", where=sa.text(where.sql)
                    )
                )
    for index in declared.indexes:
        _index(table, index)


def _column(column: Column, reference: References | None) -> sa.Column[Any]:
    keys = [sa.ForeignKey(f"{reference.table}.id", name=reference.name)] if reference else []
    return sa.Column(column.name, TYPES[column.type], *keys, nullable=column.nullable)


def _index(table: sa.Table, index: Index) -> None:
    where = sa.text(index.where.sql) if index.where else None
    columns = [table.c[name[:-5]].desc() if name.endswith(" desc") else table.c[name] for name in index.columns]
    sa.Index(index.name, *columns, postgresql_using=index.method, postgresql_where=where)


class _Raw(sa.types.UserDefinedType[Any]):
    """A database type we only declare and never move values of."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name
