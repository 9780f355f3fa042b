"""Rows of one table in memory, held to the constraints the schema declares."""

import re
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from adapters.memory.indexes import Ordered, Taken
from adapters.memory.values import Codec
from adapters.persistence import refusals
from adapters.persistence.schema.tables import Check, Excludes, References, Row, Table, Type, Unique
from application.ports.criteria import Between, Criteria, Present
from domain.shared.time import Span

Key = tuple[Any, ...]
_ORDERLY = (Type.BIGINT, Type.INSTANT, Type.DATE)


class MemoryTable:
    """The rows of one table by key, with an index for each constraint, each declared index that equality can use, and
    each column that was once asked for a range."""

    def __init__(self, declared: Table) -> None:
        self.declared, self.codec = declared, Codec(declared)
        self.key = "name" if declared.columns[0].name == "name" else "id"
        self.rows: dict[Any, Row] = {}
        # PostgreSQL judges them by name; the first that fails is the one a refusal tells of.
        checks = [c for c in declared.constraints if isinstance(c, Check)]
        self._checks = sorted(checks, key=lambda check: check.name)
        self._required = [column.name for column in declared.columns if not column.nullable]
        self._uniques: list[tuple[Unique, dict[Key, Any]]] = [
            (c, {}) for c in declared.constraints if isinstance(c, Unique)
        ]
        self._excludes = [Taken(c) for c in declared.constraints if isinstance(c, Excludes)]
        self.references = [c for c in declared.constraints if isinstance(c, References)]
        self._groups: dict[str, dict[Any, dict[Any, None]]] = {column: {} for column in _grouped(declared)}
        self._ordered: dict[str, Ordered] = {}
        self._aside = frozenset(declared.names) - _spoken_of(declared) - {self.key, *self._groups}
        """The columns by which rows are neither found nor compared."""
        self._orderly = {column.name for column in declared.columns if column.type in _ORDERLY}

    def add(self, row: Row) -> None:
        """Store a row with a new key; refuses what a constraint forbids, changing nothing."""
        self._judge(row)
        self._keep(row)

    def put(self, row: Row) -> None:
        """Store this row in place of the one with its key; refuses what a constraint forbids, changing nothing."""
        was = self.rows.get(row[self.key])
        if was is not None and self._stays_in_place(was, row):
            self._judge_alone(row)
            self.rows[row[self.key]] = row
            return
        before = self.remove(row[self.key])
        try:
            self._judge(row)
        except Exception:
            if before is not None:
                self._keep(before)
            raise
        self._keep(row)

    def _stays_in_place(self, was: Row, row: Row) -> bool:
        """Whether no index and nothing that compares rows sees a difference."""
        aside = self._aside
        return all(value is was[name] or name in aside for name, value in row.items())

    def remove(self, key: Any) -> Row | None:
        """Forget the row of that key; returns what it was."""
        row = self.rows.pop(key, None)
        if row is None:
            return None
        for unique, keys in self._uniques:
            if (values := _values(unique, row)) is not None:
                keys.pop(values, None)
        for taken in self._excludes:
            taken.discard(key, row)
        for column, grouped in self._groups.items():
            del grouped[row[column]][key]
        for ordered in self._ordered.values():
            ordered.discard(key, row)
        return row

    def restore(self, key: Any, row: Row | None) -> None:
        """Put back what was there before a refused commit, unjudged."""
        self.remove(key)
        if row is not None:
            self._keep(row)

    def fill(self, rows: Iterable[Row]) -> None:
        """Keep these too, unjudged."""
        for row in rows:
            self._keep(row)

    def among(self, column: str, value: Any) -> Collection[Row] | None:
        """The rows whose column equals the value, when an index knows; else None."""
        if column == self.key:
            return [self.rows[value]] if value in self.rows else []
        grouped = self._groups.get(column)
        if grouped is None:
            return None
        return [self.rows[key] for key in grouped.get(value, ())]

    def between(
        self, column: str, wanted: Between | Present, *, descending: bool = False, limit: int | None = None
    ) -> list[Row] | None:
        """The rows whose column lies in that range, in its order, when its type has one; else None."""
        if column not in self._orderly:
            return None
        if column not in self._ordered:
            self._ordered[column] = Ordered(column, self.rows.items())
            self._aside -= {column}
        found = self._ordered[column].within(wanted, descending=descending)
        return [self.rows[key] for key in islice(found, limit)]

    def crossing(self, column: str, span: Span, criteria: Criteria) -> list[Row] | None:
        """The rows of one owner that take time and may overlap this span, when an exclusion knows them; else None."""
        for taken in self._excludes:
            excludes = taken.excludes
            if excludes.overlap == column and excludes.equal in criteria and criteria.get(excludes.where.sql) is True:
                return [self.rows[key] for key in taken.near(criteria[excludes.equal], span)]
        return None

    def _keep(self, row: Row) -> None:
        key = row[self.key]
        self.rows[key] = row
        for unique, keys in self._uniques:
            if (values := _values(unique, row)) is not None:
                keys[values] = key
        for taken in self._excludes:
            taken.add(key, row)
        for column, grouped in self._groups.items():
            value = row[column]
            if value in grouped:
                grouped[value][key] = None
            else:
                grouped[value] = {key: None}
        for ordered in self._ordered.values():
            ordered.add(key, row)

    def _judge_alone(self, row: Row) -> None:
        for column in self._required:
            if row[column] is None:
                raise refusals.violation(f"{self.declared.name}_{column}_not_null")
        for check in self._checks:
            if not check.holds(row):
                raise refusals.violation(check.name)

    def _judge(self, row: Row) -> None:
        self._judge_alone(row)
        if row[self.key] in self.rows:
            raise refusals.duplicate(f"{self.declared.name}_pkey")
        for unique, keys in self._uniques:
            values = _values(unique, row)
            if values is not None and values in keys:
                raise refusals.duplicate(unique.name)
        for taken in self._excludes:
            if taken.excludes.where.holds(row) and self._excluded(taken, row):
                raise refusals.duplicate(taken.excludes.name)

    def _excluded(self, taken: Taken, row: Row) -> bool:
        excludes = taken.excludes
        others = (self.rows[key] for key in taken.near(row[excludes.equal], row[excludes.overlap]))
        return any(
            other[excludes.differ] != row[excludes.differ] and other[excludes.overlap].overlaps(row[excludes.overlap])
            for other in others
        )


def _spoken_of(declared: Table) -> frozenset[str]:
    """Every column that a constraint between rows names, or its condition does."""
    told: list[str] = []
    for each in declared.constraints:
        match each:
            case Unique(columns=columns, where=where):
                told += [*columns, where.sql if where else ""]
            case References(column=column):
                told.append(column)
            case Excludes(equal=equal, differ=differ, overlap=overlap, where=where):
                told += [equal, differ, overlap, where.sql]
    return frozenset(declared.names) & frozenset(re.findall(r"\w+", " ".join(told)))


def _values(unique: Unique, row: Row) -> Key | None:
    """The unique key of this row, or None when the constraint does not count it."""
    if unique.where is not None and not unique.where.holds(row):
        return None
    values = tuple(row[column] for column in unique.columns)
    return None if None in values else values


def _grouped(declared: Table) -> Iterable[str]:
    """Columns worth an equality index: the first of each index and unique constraint, and every reference."""
    firsts = [index.columns[0] for index in declared.indexes]
    firsts += [c.columns[0] for c in declared.constraints if isinstance(c, Unique)]
    firsts += [c.column for c in declared.constraints if isinstance(c, References)]
    firsts += [c.equal for c in declared.constraints if isinstance(c, Excludes)]
    names = {column.name for column in declared.columns} - {"id"}
    return {first.split(" ")[0] for first in firsts} & names
