"""Either end of a move in memory: the same promises as the database's functions keep."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, islice
from uuid import UUID

from adapters.memory.store import MemoryStore, RowChange
from adapters.persistence import records
from adapters.persistence.schema import MOVED, TABLES
from adapters.persistence.schema.tables import Row
from application.ports.moving import Batch, Destination, Digest, Load, Mark, News, Origin, Size, Standing
from domain.moving import AlreadyMoving, HasWrites, Leaving, Move, MoveId, MoveState, NotUnderWay, TakenOver, Unfit
from domain.shared.errors import Conflict, Invalid


class MemoryHouse(Origin, Destination):
    """A house on one memory store."""

    def __init__(self, store: MemoryStore, *, revision: str = "memory") -> None:
        self._store, self._revision = store, revision
        self._arriving: Move | None = None
        self._held_until: datetime | None = None
        self._leaving: Mark | None = None
        self._given_up: set[MoveId] = set()
        self._noting = False
        self._notes: dict[str, tuple[str, str]] = {}
        self._numbers = count()
        store.listen(self._heard)

    async def standing(self) -> Standing:
        sizes = {name: self._size(name) for name in MOVED}
        return Standing(
            identity=f"memory {id(self._store):x}",
            revision=self._revision,
            tables=sizes,
            arriving=self._arriving and _copy(self._arriving),
            leaving=self._leaving,
            noted=len(self._notes),
        )

    async def batch(self, table: str, *, after: str | None, most: int) -> Batch:
        found = list(islice(self._after(table, after), most))
        return Batch(
            rows=[records.record(TABLES[table], row) for _, row in found], last=found[-1][0] if found else None
        )

    async def news(self, reached: Mapping[str, str | None], *, most: int) -> News:
        loads: dict[str, Load] = {}
        seen: list[str] = []
        for table, after in reached.items():
            rows = dict(self._keyed(table))
            notes = {
                note: key
                for note, (noted, key) in self._notes.items()
                if noted == table and (after is None or key <= after)
            }
            some = dict(islice(notes.items(), most))
            seen += some
            keys = dict.fromkeys(some.values())
            come = [records.record(TABLES[table], rows[key]) for key in keys if key in rows]
            if some:
                loads[table] = Load(rows=come, gone=[key for key in keys if key not in rows])
        return News(seen=seen, loads=loads, left=len(self._notes))

    async def forget(self, seen: Sequence[str]) -> None:
        for note in seen:
            self._notes.pop(note, None)

    async def leave(self, move: MoveId, state: Leaving, *, at: datetime) -> None:
        held = self._leaving
        if held and held.move != move and held.state is not Leaving.STAYED:
            raise AlreadyMoving("another move leaves from here")
        if move in self._given_up and state is not Leaving.STAYED:
            raise NotUnderWay("this move was given up")
        if state is Leaving.STAYED:
            self._given_up.add(move)
        self._leaving = Mark(move=move, state=state)
        self._note(state in (Leaving.WATCHED, Leaving.FROZEN))
        self._store.shut = state in (Leaving.FROZEN, Leaving.LEFT)

    async def digest(self, table: str, *, after: str | None, most: int) -> Digest:
        weighed = await self.digests(table, after=after, most=most)
        last = weighed[-1][0] if weighed else None
        return Digest(rows=len(weighed), sum=sum(records.share(weight) for _, weight in weighed), last=last)

    async def digests(self, table: str, *, after: str | None, most: int) -> Sequence[tuple[str, str]]:
        declared = TABLES[table]
        return [
            (key, records.weight(records.record(declared, row))) for key, row in islice(self._after(table, after), most)
        ]

    async def open(self, move: Move, *, at: datetime, until: datetime, take_over: bool) -> Move:
        known = self._arriving
        if known and known.id != move.id and not known.is_over:
            raise AlreadyMoving("another move arrives here")
        if known is None or known.id != move.id:
            known = _copy(move)
            self._store.shut = True
        elif self._held_until is not None and self._held_until > at and not take_over:
            raise AlreadyMoving("another mover is at it; if that one is dead, take over with --take-over")
        self._arriving = replace(known, fence=known.fence + 1)
        self._held_until = until
        return _copy(self._arriving)

    async def receive(self, move: Move, loads: Mapping[str, Load], *, at: datetime, until: datetime) -> None:
        self._must_hold(move)
        told = {
            table: ([records.row(TABLES[table], one) for one in load.rows], [_key(table, key) for key in load.gone])
            for table, load in loads.items()
        }
        try:
            self._store.replace(told)
        except (Conflict, Invalid) as refusal:
            raise Unfit(str(refusal.details.get("constraint", refusal.code))) from refusal
        self._arriving, self._held_until = _copy(move), until

    async def arrive(self, move: Move, state: MoveState, *, at: datetime) -> None:
        self._must_hold(move)
        if state is MoveState.ROLLED_BACK and self._notes:
            raise HasWrites(len(self._notes))
        self._arriving, self._held_until = replace(_copy(move), state=state), None
        self._store.shut = state is MoveState.ROLLED_BACK
        self._note(state is MoveState.CUT_OVER)
        if state is MoveState.CUT_OVER and self._leaving:
            self._leaving = replace(self._leaving, state=Leaving.STAYED)
            self._given_up.add(self._leaving.move)

    def _must_hold(self, move: Move) -> None:
        if self._arriving is None or (self._arriving.id, self._arriving.fence) != (move.id, move.fence):
            raise TakenOver

    def _note(self, noting: bool) -> None:
        self._noting = noting
        if not noting:
            self._notes.clear()

    def _heard(self, changes: Sequence[RowChange]) -> None:
        if not self._noting:
            return
        for table, before, after in changes:
            if table in MOVED and (row := after or before):
                self._notes[f"note {next(self._numbers)}"] = (table, str(row[self._store.tables[table].key]))

    def _size(self, table: str) -> Size:
        rows = list(self._store.tables[table].rows.values())
        return Size(rows=len(rows), bytes=sum(len(str(row)) for row in rows))

    def _keyed(self, table: str) -> Iterable[tuple[str, Row]]:
        return sorted(
            ((str(key), row) for key, row in self._store.tables[table].rows.items()), key=lambda kept: kept[0]
        )

    def _after(self, table: str, after: str | None) -> Iterable[tuple[str, Row]]:
        return ((key, row) for key, row in self._keyed(table) if after is None or key > after)


def _copy(move: Move) -> Move:
    return replace(move, progress=dict(move.progress))


def _key(table: str, key: str) -> object:
    return key if TABLES[table].columns[0].name == "name" else UUID(key)
