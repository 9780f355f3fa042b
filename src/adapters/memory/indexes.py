"""Ways to find rows without looking at all of them: by range, and by the time their spans take."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from adapters.persistence.schema.tables import Excludes, Row
from application.ports.criteria import Between, Present
from domain.shared.time import Span

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Ordered:
    """The keys of rows whose column is not empty, in the order of its values."""

    def __init__(self, column: str, rows: Iterable[tuple[Any, Row]]) -> None:
        self.column = column
        self._entries = sorted((row[column], key) for key, row in rows if row[column] is not None)

    def add(self, key: Any, row: Row) -> None:
        """A row is there."""
        value = row[self.column]
        if value is not None:
            entries = self._entries
            if not entries or entries[-1] < (value, key):
                entries.append((value, key))
            else:
                insort(entries, (value, key))

    def discard(self, key: Any, row: Row) -> None:
        """A row is gone."""
        value = row[self.column]
        if value is not None:
            del self._entries[bisect_left(self._entries, (value, key))]

    def within(self, wanted: Between | Present, *, descending: bool = False) -> Iterator[Any]:
        """The keys of the rows in that range, in order."""
        first, end = 0, len(self._entries)
        if isinstance(wanted, Between):
            if wanted.at_least is not None:
                first = bisect_left(self._entries, cast(Any, wanted.at_least), key=_value)
            if wanted.below is not None:
                end = bisect_left(self._entries, cast(Any, wanted.below), key=_value)
        places = range(end - 1, first - 1, -1) if descending else range(first, end)
        return (self._entries[place][1] for place in places)


class Taken:
    """The time that rows under an exclusion take, by whom it excludes, in the order of their starts."""

    def __init__(self, excludes: Excludes) -> None:
        self.excludes = excludes
        self._groups: dict[Any, list[tuple[Any, Any]]] = {}
        self._longest = timedelta()

    def add(self, key: Any, row: Row) -> None:
        """A row is there."""
        if self.excludes.where.holds(row):
            span: Span = row[self.excludes.overlap]
            insort(self._groups.setdefault(row[self.excludes.equal], []), (span.starts_at, key))
            if self._longest < span.ends_at - span.starts_at:
                self._longest = span.ends_at - span.starts_at

    def discard(self, key: Any, row: Row) -> None:
        """A row is gone."""
        if self.excludes.where.holds(row):
            group = self._groups[row[self.excludes.equal]]
            del group[bisect_left(group, (row[self.excludes.overlap].starts_at, key))]

    def near(self, equal: Any, span: Span) -> list[Any]:
        """The keys of all rows that may overlap this span, and few others."""
        group = self._groups.get(equal)
        if not group:
            return []
        since = span.starts_at - min(self._longest, span.starts_at - _BEGINNING)
        first = bisect_right(group, since, key=_value)
        return [key for _, key in group[first : bisect_left(group, span.ends_at, key=_value)]]


def _value(entry: tuple[Any, Any]) -> Any:
    return entry[0]
