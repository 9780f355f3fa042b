"""Rows of one table in memory, held to the constraints the schema declares."""

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.persistence import refusals
from adapters.persistence.schema.tables import Check, Excludes, References, Row, Table, Unique

Key = tuple[Any, ...]


class MemoryTable:
    """The rows of one table by key, with an index for each constraint and declared index that equality can use."""

    def __init__(self, declared: Table) -> None:
        self.declared = declared
        self.key = "name" if declared.columns[0].name == "name" else "id"
        self.rows: dict[Any, Row] = {}
        # PostgreSQL judges them by name; the first that fails is the one a refusal tells of.
        checks = [c for c in declared.constraints if isinstance(c, Check)]
        self._checks = sorted(checks, key=lambda check: check.name)
        self._uniques: list[tuple[Unique, dict[Key, Any]]] = [
            (c, {}) for c in declared.constraints if isinstance(c, Unique)
        ]
        self._excludes: list[tuple[Excludes, dict[Any, set[Any]]]] = [
            (c, {}) for c in declared.constraints if isinstance(c, Excludes)
        ]
        self.references = [c for c in declared.constraints if isinstance(c, References)]
        self._groups: dict[str, dict[Any, set[Any]]] = {column: {} for column in _grouped(declared)}

    def add(self, row: Row) -> None:
        """Store a row with a new key; refuses what a constraint forbids, changing nothing."""
        self._judge(row)
        self._keep(row)

    def put(self, row: Row) -> None:
        """Store this row in place of the one with its key; refuses what a constraint forbids, changing nothing."""
        before = self.remove(row[self.key])
        try:
            self._judge(row)
        except Exception:
            if before is not None:
                self._keep(before)
            raise
        self._keep(row)

    def remove(self, key: Any) -> Row | None:
        """Forget the row of that key; returns what it was."""
        row = self.rows.pop(key, None)
        if row is None:
            return None
        for unique, keys in self._uniques:
            if (values := _values(unique, row)) is not None:
                keys.pop(values, None)
        for excludes, groups in self._excludes:
            if excludes.where.holds(row):
                groups[row[excludes.equal]].discard(key)
        for column, grouped in self._groups.items():
            grouped[row[column]].discard(key)
        return row

    def restore(self, key: Any, row: Row | None) -> None:
        """Put back what was there before a refused commit, unjudged."""
        self.remove(key)
        if row is not None:
            self._keep(row)

    def among(self, column: str, value: Any) -> Iterator[Row] | None:
        """The rows whose column equals the value, when an index knows; else None."""
        if column == self.key:
            return iter([self.rows[value]] if value in self.rows else [])
        grouped = self._groups.get(column)
        if grouped is None:
            return None
        return (self.rows[key] for key in list(grouped.get(value, ())))

    def _keep(self, row: Row) -> None:
        key = row[self.key]
        self.rows[key] = row
        for unique, keys in self._uniques:
            if (values := _values(unique, row)) is not None:
                keys[values] = key
        for excludes, groups in self._excludes:
            if excludes.where.holds(row):
                groups.setdefault(row[excludes.equal], set()).add(key)
        for column, grouped in self._groups.items():
            grouped.setdefault(row[column], set()).add(key)

    def _judge(self, row: Row) -> None:
        for column in self.declared.columns:
            if row[column.name] is None and not column.nullable:
                raise refusals.violation(f"{self.declared.name}_{column.name}_not_null")
        for check in self._checks:
            if not check.holds(row):
                raise refusals.violation(check.name)
        if row[self.key] in self.rows:
            raise refusals.duplicate(f"{self.declared.name}_pkey")
        for unique, keys in self._uniques:
            values = _values(unique, row)
            if values is not None and values in keys:
                raise refusals.duplicate(unique.name)
        for excludes, groups in self._excludes:
            if excludes.where.holds(row) and self._excluded(excludes, groups, row):
                raise refusals.duplicate(excludes.name)

    def _excluded(self, excludes: Excludes, groups: dict[Any, set[Any]], row: Row) -> bool:
        others = (self.rows[key] for key in groups.get(row[excludes.equal], ()))
        return any(
            other[excludes.differ] != row[excludes.differ] and other[excludes.overlap].overlaps(row[excludes.overlap])
            for other in others
        )


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
