"""A store in memory: copies of rows in, copies out, a change set at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.matching import matches, sorted_rows
from adapters.memory.tables import MemoryTable
from adapters.memory.values import asked, fitting, placed, shown, stored
from adapters.persistence import refusals
from adapters.persistence.ordering import turn
from adapters.persistence.schema import TABLES, columns_of
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Delete, Guard, Insert, Numbers, Store, Tally, Update, Write
from application.ports.criteria import AnyOf, Criteria, Order, Position
from domain.shared.errors import Conflict


class MemoryStore(Store):
    """Tables in this process. A commit runs without a pause in it, so it is alone; a refused one is undone."""

    def __init__(self) -> None:
        self.tables = {name: MemoryTable(table) for name, table in TABLES.items()}

    async def load(
        self,
        table: str,
        criteria: Criteria,
        *,
        order: Order = Order(),
        after: Position | None = None,
        limit: int | None = None,
    ) -> Sequence[Row]:
        declared = TABLES[table]
        if table == "tallies" and order.by == "id":
            order = Order("name", order.descending)
        columns = columns_of(table)
        asked(columns, criteria)
        placed(columns[order.by], after)
        found = (row for row in self.candidates(table, criteria) if matches(row, criteria))
        return [shown(declared, row) for row in sorted_rows(found, order, after=after, limit=limit)]

    async def commit(self, changes: Changes) -> Numbers:
        writes = [_own(write) for write in sorted(changes.writes, key=turn)]
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
        return numbers

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        outbox = self.tables["outbox"]
        claimed: list[Row] = []
        for row in sorted_rows(outbox.among("finished_at", None) or (), Order("due_at")):
            free = row["dead_at"] is None and (row["leased_until"] is None or row["leased_until"] <= now)
            if len(claimed) < limit and row["due_at"] <= now and free and self._is_next(row):
                leased = {**row, "version": row["version"] + 1, "leased_until": now + lease}
                leased["attempts"] += 1
                outbox.put(leased)
                claimed.append(shown(outbox.declared, leased))
        return claimed

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
        """Rows among which all that match are to be found, by the best index equality can use; not to be changed."""
        rows = self.tables[table]
        for column, wanted in criteria.items():
            if isinstance(wanted, AnyOf):
                groups = [rows.among(column, value) for value in dict.fromkeys(wanted.values)]
                if None not in groups:
                    return [row for group in groups for row in group or ()]
            elif type(wanted).__module__ != AnyOf.__module__:
                found = rows.among(column, wanted)
                if found is not None:
                    return found
        return list(rows.rows.values())

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
                if reference.table == table and next(iter(other.among(reference.column, id) or ()), None):
                    raise refusals.violation(reference.name)

    def _undo(self, undo: list[tuple[str, Any, Row | None]]) -> None:
        for table, key, before in reversed(undo):
            self.tables[table].restore(key, before)


def _own(write: Write) -> Write:
    """The write with a row of our own, of values as they can be kept."""
    return write if isinstance(write, Delete) else replace(write, row=stored(TABLES[write.table], write.row))


def _keep_written(table: MemoryTable, was: Row, row: Row) -> None:
    """Rows of an append-only table stay as they were written; the columns it fills are filled once."""
    declared = table.declared
    if not declared.append_only:
        return
    free = {*declared.fills, "version"}
    same = all(row.get(name) == was[name] for name in declared.names if name not in free)
    if not (declared.fills and same) or any(was[name] is not None for name in declared.fills):
        raise Conflict(f"rows of {declared.name} are never changed or removed")
