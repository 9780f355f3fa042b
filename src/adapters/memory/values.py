"""Values as PostgreSQL takes them and gives them back, so that memory is not kinder: what no database can hold is
refused, and nothing a caller still has in hand is kept."""

from typing import Any

import orjson

from adapters.persistence import refusals
from adapters.persistence.schema.tables import Column, Row, Table, Type
from adapters.persistence.values import FIT


class Codec:
    """Rows of one table on their way in and out."""

    def __init__(self, table: Table) -> None:
        self._fits = tuple((column.name, FIT[column.type]) for column in table.columns)
        self._changeable = tuple(column.name for column in table.columns if column.type is Type.JSON)

    def stored(self, row: Row, was: Row | None = None) -> Row:
        """The row as it is kept: a copy all of its own. Values that are those of the row it replaces fit already."""
        kept: Row = {}
        try:
            for name, fit in self._fits:
                value = row[name]
                if value is None or (was is not None and value is was[name]):
                    kept[name] = value
                else:
                    kept[name] = fit(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise refusals.unstorable() from error
        return kept

    def shown(self, row: Row) -> Row:
        """A copy of a kept row for others to do with as they like."""
        copy = row.copy()
        for name in self._changeable:
            value = copy[name]
            if isinstance(value, dict | list):
                copy[name] = orjson.loads(orjson.dumps(value))
        return copy


def copied(column: Column, value: Any) -> Any:
    """The value itself, or a copy of what could be changed in place."""
    if column.type is Type.JSON and isinstance(value, dict | list):
        return orjson.loads(orjson.dumps(value))
    return value
