"""The vocabulary tables are declared in. PostgreSQL turns it into DDL, memory interprets it, PostgREST takes types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Row = dict[str, Any]
"""One stored row: column name to UUID, str, int, bool, datetime, date, Span (ranges) or JSON-ready values (jsonb)."""


class Type(StrEnum):
    """The column types every store can hold without loss."""

    UUID = "uuid"
    TEXT = "text"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    INSTANT = "timestamptz"
    DATE = "date"
    JSON = "jsonb"
    SPAN = "tstzrange"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `private` ones are never granted to clients; `derived` ones are written from a property and not
    read back; `numbered` ones take their value from a tally of the same commit."""

    name: str
    type: Type
    nullable: bool = False
    private: bool = False
    derived: bool = False
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on a row, said twice: as SQL, and as Python for stores that interpret it."""

    sql: str
    holds: Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Check:
    """Every row fulfils this."""

    name: str
    sql: str
    holds: Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows (among those `where`) agree in all these columns; rows with an empty one do not count."""

    name: str
    columns: tuple[str, ...]
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class References:
    """The column holds the id of a row of that table."""

    name: str
    column: str
    table: str


@dataclass(frozen=True, slots=True)
class Excludes:
    """No two rows (among those `where`) agree in `equal`, differ in `differ` and overlap in the span `overlap`."""

    name: str
    equal: str
    differ: str
    overlap: str
    where: Where


@dataclass(frozen=True, slots=True)
class Index:
    """A way to find rows quickly; `columns` may carry " desc". Promises nothing."""

    name: str
    columns: tuple[str, ...]
    where: Where | None = None
    method: str = "btree"


@dataclass(frozen=True, slots=True)
class Generated:
    """A column the database computes for its own searching; no store reads or writes it."""

    name: str
    type: str
    sql: str


Constraint = Check | Unique | References | Excludes


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the business. Every row has an `id uuid` primary key and, where it may change, a `version`. Rows of an
    append-only one stay for ever as they were written, but for its `fills`: empty at first, and filled once."""

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    generated: tuple[Generated, ...] = ()
    append_only: bool = False
    fills: tuple[str, ...] = ()
    names: tuple[str, ...] = field(init=False)
    """The names of all columns that rows carry, in order."""
    numbered: tuple[str, ...] = field(init=False)
    """The columns whose value a tally gives."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))
        object.__setattr__(self, "numbered", tuple(column.name for column in self.columns if column.numbered))

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Join:
    """The row of `table` whose `there` equals the base's `here`, if any; `columns` maps the view's names to its."""

    table: str
    here: str
    there: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Latest:
    """Of the rows of `table` whose `there` equals the base's `here`, the one with the greatest `by`, if any."""

    table: str
    here: str
    there: str
    by: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """A base table's rows with columns of others beside them. It shows no more than its tables would; one that is
    `for_the_house` is not for clients at all."""

    name: str
    base: str
    columns: tuple[str, ...]
    joins: tuple[Join | Latest, ...] = field(default=())
    for_the_house: bool = False


def uuid(name: str, *, nullable: bool = False, private: bool = False, derived: bool = False) -> Column:
    """A column of ids."""
    return Column(name, Type.UUID, nullable, private, derived)


def text(name: str, *, nullable: bool = False, private: bool = False, derived: bool = False) -> Column:
    """A column of text."""
    return Column(name, Type.TEXT, nullable, private, derived)


def integer(
    name: str, *, nullable: bool = False, private: bool = False, derived: bool = False, numbered: bool = False
) -> Column:
    """A column of 64-bit integers."""
    return Column(name, Type.BIGINT, nullable, private, derived, numbered)


def boolean(name: str, *, nullable: bool = False, private: bool = False, derived: bool = False) -> Column:
    """A column of yes and no."""
    return Column(name, Type.BOOLEAN, nullable, private, derived)


def instant(name: str, *, nullable: bool = False, private: bool = False, derived: bool = False) -> Column:
    """A column of moments in UTC, to the microsecond."""
    return Column(name, Type.INSTANT, nullable, private, derived)


def date(name: str, *, nullable: bool = False, private: bool = False) -> Column:
    """A column of calendar dates."""
    return Column(name, Type.DATE, nullable, private)


def json(name: str, *, nullable: bool = False, private: bool = False) -> Column:
    """A column of structured values, stored as jsonb."""
    return Column(name, Type.JSON, nullable, private)


def span(name: str, *, nullable: bool = False, private: bool = False, derived: bool = False) -> Column:
    """A column of half-open spans of time."""
    return Column(name, Type.SPAN, nullable, private, derived)


def money(name: str, *, nullable: bool = False, private: bool = False) -> tuple[Column, Column]:
    """The two columns of an amount: `<name>_minor` and `<name>_currency`."""
    return (
        Column(f"{name}_minor", Type.BIGINT, nullable, private),
        Column(f"{name}_currency", Type.TEXT, nullable, private),
    )


def identity() -> tuple[Column, Column]:
    """What every aggregate has: its id and its version."""
    return (uuid("id"), integer("version"))


def one_of(name: str, column: str, values: type[StrEnum]) -> Check:
    """The column holds one of the enumeration's values (or nothing, where it may be empty)."""
    allowed = frozenset(value.value for value in values)
    listed = ", ".join(f"'{value.value}'" for value in values)
    return Check(name, f"{column} in ({listed})", lambda row: row[column] is None or row[column] in allowed)


def at_least(name: str, column: str, least: int) -> Check:
    """The column is empty or not below `least`."""
    return Check(name, f"{column} >= {least}", lambda row: row[column] is None or row[column] >= least)
