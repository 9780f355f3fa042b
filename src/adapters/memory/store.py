"""A store in memory: copies of rows in, copies out, a change set at a time."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.queue import Queue
from adapters.memory.tables import MemoryTable
from adapters.persistence import refusals
from adapters.persistence.matching import matches, sorted_rows
from adapters.persistence.ordering import turn
from adapters.persistence.schema import TABLES, columns_of
from adapters.persistence.schema.tables import Row, Table
from adapters.persistence.store import Changes, Delete, Guard, Insert, Numbers, Store, Tally, Update, Write
from adapters.persistence.values import asked, fitting, placed
from application.ports.criteria import AnyOf, Between, Criteria, Order, Overlaps, Position, Present
from domain.moving import BeingMoved
from domain.shared.errors import Conflict

RowChange = tuple[str, Row | None, Row | None]
"""A table, what one of its rows was (None: new), and what it is (None: gone)."""
Listener = Callable[[Sequence[RowChange]], None]
"""Told of every commit by the rows that it changed."""


class MemoryStore(Store):
    """Tables in this process. A commit runs without a pause in it, so it is alone; a refused one is undone. What
    `listen` adds hears of every change that stays; the rows it is handed are not to be changed."""

    def __init__(self, declared: Mapping[str, Table] = TABLES) -> None:
        self.tables = {name: MemoryTable(table) for name, table in declared.items()}
        self._queue = Queue()
        self._listeners: list[Listener] = []
        self.shut = False
        """Whether nothing is committed here now, because the house is being moved."""

    def listen(self, listener: Listener) -> None:
        """Tell this one of every commit from now on."""
        self._listeners.append(listener)

    def fill(self, rows: Mapping[str, Iterable[Row]]) -> None:
        """Begin with these rows, unjudged: those of another memory store, such as one kept from before."""
        for name, some in rows.items():
            self.tables[name].fill(some)
        for row in self.tables["outbox"].rows.values():
            self._queue.note(row)

    def next_due(self, now: datetime) -> datetime | None:
        """When an event that cannot be claimed now first could be, if nothing else happens."""
        return self._queue.next_due(self.tables["outbox"].rows, now)

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        shown = self.tables[table].codec.shown
        if table == "tallies" and order.by == "id":
            order = Order("name", order.descending)
        columns = columns_of(table)
        asked(columns, criteria)
        placed(columns[order.by], after)
        if limit is not None and after is None and [*criteria] == [order.by]:
            wanted = criteria[order.by]
            if isinstance(wanted, Between | Present):
                first = self.tables[table].between(order.by, wanted, descending=order.descending, limit=limit)
                if first is not None:
                    return [shown(row) for row in first]
        found = (row for row in self.candidates(table, criteria) if matches(row, criteria))
        return [shown(row) for row in sorted_rows(found, order, after=after, limit=limit)]

    async def count(self, table: str, criteria: Criteria) -> int:
        asked(columns_of(table), criteria)
        return sum(matches(row, criteria) for row in self.candidates(table, criteria))

    async def commit(self, changes: Changes) -> Numbers:
        if self.shut and not changes.is_empty:
            raise BeingMoved
        writes = [self._own(write) for write in sorted(changes.writes, key=turn)]
        undo: list[tuple[str, Any, Row | None]] = []
        try:
            numbers = {tally.name: self._move(tally, undo) for tally in sorted(changes.tallies, key=lambda t: t.name)}
            for guard in changes.guards:
                self._check(guard)
            for write in writes:
                self._apply(write, numbers, undo)
            self._check_references(writes)
        except Exception:
            self._undo(undo)
            raise
        self._tell(undo)
        return numbers

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        if self.shut:
            raise BeingMoved
        outbox = self.tables["outbox"]
        claimed: list[Row] = []
        changed: list[tuple[str, Any, Row | None]] = []
        for row in self._queue.ripe(outbox.rows, now):
            if len(claimed) == limit:
                break
            if self._is_next(row):
                leased = {**row, "version": row["version"] + 1, "leased_until": now + lease}
                leased["attempts"] += 1
                outbox.put(leased)
                changed.append(("outbox", row["id"], row))
                claimed.append(outbox.codec.shown(leased))
        self._tell(changed)
        return claimed

    def replace(self, loads: Mapping[str, tuple[Sequence[Row], Sequence[Any]]]) -> None:
        """Make these rows be there just so, and those keys be gone, all of it or nothing: for whoever moves the house.
        References are judged at the end, and rows of a table that only grows stay as they were written."""
        undo: list[tuple[str, Any, Row | None]] = []
        try:
            for name, (rows, gone) in loads.items():
                self._replace(self.tables[name], [self.tables[name].codec.stored(row) for row in rows], gone, undo)
            for name, (rows, gone) in loads.items():
                self._check_references([Insert(name, row) for row in rows])
                if self.tables[name].key == "id":
                    self._check_references([Delete(name, id, 0) for id in gone if id not in self.tables[name].rows])
        except Exception:
            self._undo(undo)
            raise
        self._tell(undo)

    def _replace(
        self, table: MemoryTable, rows: Sequence[Row], gone: Sequence[Any], undo: list[tuple[str, Any, Row | None]]
    ) -> None:
        come = {row[table.key]: row for row in rows}
        stays = {key: row for key, row in table.rows.items() if key in come} if table.declared.append_only else {}
        leaving = [key for key in (*come, *gone) if key in table.rows and key not in stays]
        undo.extend((table.declared.name, key, table.remove(key)) for key in leaving)
        for key, row in come.items():
            was = stays.get(key)
            if was is None:
                table.add(row)
                undo.append((table.declared.name, key, None))
            elif table.declared.fills and was != row:
                _keep_written(table, was, row)
                undo.append((table.declared.name, key, was))
                table.put(row)

    def _tell(self, changed: Iterable[tuple[str, Any, Row | None]]) -> None:
        """What stays of this commit, to the queue of events and to whoever listens."""
        changes = [(table, before, self.tables[table].rows.get(key)) for table, key, before in changed]
        for table, _, after in changes:
            if table == "outbox" and after is not None:
                self._queue.note(after)
        if changes:
            for listener in self._listeners:
                listener(changes)

    def _is_next(self, row: Row) -> bool:
        """No earlier event of the same aggregate is unfinished; scheduled events stand outside the order."""
        if row["scheduled"]:
            return True
        place = (row["subject_version"], row["position"])
        return not any(
            other["finished_at"] is None
            and not other["scheduled"]
            and other["subject_table"] == row["subject_table"]
            and (other["subject_version"], other["position"]) < place
            for other in self.tables["outbox"].among("subject_id", row["subject_id"]) or ()
        )

    def candidates(self, table: str, criteria: Criteria) -> Iterable[Row]:
        """Rows among which all that match are to be found, the fewest that an index knows; not to be changed."""
        rows = self.tables[table]
        best: Collection[Row] | None = None
        for column, wanted in criteria.items():
            found: Collection[Row] | None
            match wanted:
                case AnyOf(values):
                    groups = [rows.among(column, value) for value in dict.fromkeys(values)]
                    found = None if None in groups else [row for group in groups for row in group or ()]
                case Between() | Present():
                    found = rows.between(column, wanted) if best is None else None
                case Overlaps(span):
                    found = rows.crossing(column, span, criteria)
                case _:
                    found = rows.among(column, wanted)
            if found is not None and (best is None or len(found) < len(best)):
                best = found
                if len(best) < 2:
                    break
        return list(rows.rows.values()) if best is None else best

    def _own(self, write: Write) -> Write:
        """The write with a row of our own, of values as they can be kept."""
        match write:
            case Insert(table, row, numbers):
                return Insert(table, self.tables[table].codec.stored(row), numbers)
            case Update(table, row, expected):
                rows = self.tables[table]
                return Update(table, rows.codec.stored(row, rows.rows.get(row["id"])), expected)
        return write

    def _move(self, tally: Tally, undo: list[tuple[str, Any, Row | None]]) -> int:
        tallies = self.tables["tallies"]
        before = tallies.rows.get(tally.name)
        value = (before["value"] if before else 0) + tally.by
        if tally.ceiling is not None and value > tally.ceiling:
            raise refusals.exhausted(tally.name)
        if tally.by < 0 and before is None:
            raise refusals.stale("tallies")
        fitting(tallies.declared.column("value"), value)
        ceiling = before["ceiling"] if before and tally.by < 0 else tally.ceiling
        undo.append(("tallies", tally.name, before))
        tallies.put({"name": tally.name, "value": value, "ceiling": ceiling})
        return value

    def _check(self, guard: Guard) -> None:
        row = self.tables[guard.table].rows.get(guard.id)
        if row is None or row["version"] != guard.version:
            raise refusals.stale(guard.table)

    def _apply(self, write: Write, numbers: Numbers, undo: list[tuple[str, Any, Row | None]]) -> None:
        table = self.tables[write.table]
        match write:
            case Insert(_, row, wanted):
                for column, series in wanted.items():
                    if write.table == "receipts":
                        row["answer"] = {**row["answer"], column: numbers[series]}
                    else:
                        row[column] = numbers[series]
                table.add(row)
                undo.append((write.table, row["id"], None))
            case Update(_, row, expected):
                self._expect(table, row["id"], expected)
                _keep_written(table, table.rows[row["id"]], row)
                undo.append((write.table, row["id"], table.rows[row["id"]]))
                table.put(row)
            case Delete(_, id, expected):
                self._expect(table, id, expected)
                _keep_written(table, table.rows[id], {})
                undo.append((write.table, id, table.remove(id)))

    def _expect(self, table: MemoryTable, id: Any, expected: int) -> None:
        row = table.rows.get(id)
        if row is None or row["version"] != expected:
            raise refusals.stale(table.declared.name)

    def _check_references(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if isinstance(write, Delete):
                self._check_unreferenced(write.table, write.id)
                continue
            for reference in self.tables[write.table].references:
                wanted = write.row[reference.column]
                if wanted is not None and wanted not in self.tables[reference.table].rows:
                    raise refusals.violation(reference.name)

    def _check_unreferenced(self, table: str, id: Any) -> None:
        for other in self.tables.values():
            for reference in other.references:
                if reference.table == table and other.among(reference.column, id):
                    raise refusals.violation(reference.name)

    def _undo(self, undo: list[tuple[str, Any, Row | None]]) -> None:
        for table, key, before in reversed(undo):
            self.tables[table].restore(key, before)


def _keep_written(table: MemoryTable, was: Row, row: Row) -> None:
    """Rows of an append-only table stay as they were written; the columns it fills are filled once."""
    declared = table.declared
    if not declared.append_only:
        return
    free = {*declared.fills, "version"}
    same = all(row.get(name) == was[name] for name in declared.names if name not in free)
    if not (declared.fills and same) or any(was[name] is not None for name in declared.fills):
        raise Conflict(f"rows of {declared.name} are never changed or removed")
