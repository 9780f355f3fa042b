"""Ways of telling and delivering events that lose or double them; see `Stage`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from adapters.memory.store import MemoryStore
from adapters.persistence.outbox import StoredOutbox
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Numbers, Store
from adapters.persistence.unit_of_work import StoredBegin, StoredWork
from application.commands import Command, Outcome, OutcomeUnknown, Perform, current_command, receipt_left
from application.ports.criteria import Criteria
from application.ports.outbox import Delivery
from application.ports.unit_of_work import Work
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Conflict, Refusal

T = TypeVar("T")


class CursorOutbox(MemoryStore):
    """Reads the outbox like a log: on from the last id it has seen."""

    _seen = UUID(int=0)

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        rows = await super().claim(now=now, lease=lease, limit=limit)
        self._seen = max([self._seen, *(row["id"] for row in rows)])
        return rows

    def _is_next(self, row: Row) -> bool:
        return row["id"] > self._seen and super()._is_next(row)


class ClaimsInAnyOrder(MemoryStore):
    """Whatever is due is handed out."""

    def _is_next(self, row: Row) -> bool:
        return True


class PoisonStepsAside(MemoryStore):
    """What failed once no longer stands in the way of what came after it."""

    def _is_next(self, row: Row) -> bool:
        place = (row["subject_version"], row["position"])
        return row["scheduled"] or not any(
            other["finished_at"] is None
            and not other["scheduled"]
            and other["last_error"] is None
            and other["subject_table"] == row["subject_table"]
            and (other["subject_version"], other["position"]) < place
            for other in self.tables["outbox"].among("subject_id", row["subject_id"]) or ()
        )


class LastOneWins(MemoryStore):
    """Nobody asks which version a row has that is written."""

    def _expect(self, table: Any, row_id: Any, expected: int) -> None:
        if row_id not in table.rows:
            super()._expect(table, row_id, expected)


class OneByOne(Store):
    """Writes rows one after the other, each for good."""

    def __init__(self, good: Store) -> None:
        self._good = good

    async def load(self, table: str, *asked: Any, **more: Any) -> Sequence[Row]:
        return await self._good.load(table, *asked, **more)

    async def count(self, table: str, criteria: Criteria) -> int:
        return await self._good.count(table, criteria)

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Row]:
        return await self._good.claim(now=now, lease=lease, limit=limit)

    async def commit(self, changes: Changes) -> Numbers:
        if len(changes.writes) < 2:
            return await self._good.commit(changes)
        numbers = await self._good.commit(replace(changes, writes=changes.writes[:1]))
        for write in changes.writes[1:]:
            if getattr(write, "numbers", None):
                return await self._good.commit(replace(changes, writes=changes.writes[1:]))
            await self._good.commit(Changes(writes=(write,)))
        return numbers


class SettlesFirst(StoredOutbox):
    """Marks events as delivered when it takes them, so that none can be delivered twice."""

    async def claim(self, *, lease: timedelta, limit: int) -> Sequence[Delivery]:
        deliveries = await super().claim(lease=lease, limit=limit)
        for delivery in deliveries:
            await super().finish(delivery)
        return deliveries

    async def finish(self, delivery: Delivery) -> None:
        """Done before."""

    async def postpone(self, delivery: Delivery, *, until: datetime, error: str) -> None:
        """Too late."""

    async def bury(self, delivery: Delivery, *, error: str) -> None:
        """Too late."""


class TriesOnce(StoredOutbox):
    """What fails is logged, and that is that."""

    async def postpone(self, delivery: Delivery, *, until: datetime, error: str) -> None:
        await self.finish(delivery)


class WithoutReceipts(Perform):
    """Reactions leave no receipt: an event that is delivered again has its effect again."""

    async def __call__(self, command: Command, call: Callable[[], Awaitable[T]]) -> Outcome[T]:
        if command.principal == SYSTEM.principal:
            return Outcome(await call())
        return await Perform.__call__(self, command, call)


class AnyRequestUnderAKey(Perform):
    """A key is a key: what else the request said is not compared."""

    async def _found(self, command: Command) -> Outcome[Any] | None:
        receipt = await self.receipts.find(command)
        return None if receipt is None else Outcome(receipt.answer, replayed=True)


class AsksNobody(Perform):
    """A commit without an answer has failed, so the command is carried out again."""

    async def __call__(self, command: Command, call: Callable[[], Awaitable[T]]) -> Outcome[T]:
        if command.principal == SYSTEM.principal:
            return await Perform.__call__(self, command, call)
        unknown = False

        async def heard() -> T:
            nonlocal unknown
            try:
                return await call()
            except OutcomeUnknown as silence:
                unknown = True
                raise Conflict("the commit failed") from silence

        try:
            return await Perform.__call__(self, replace(command, asked_to_remember=False), heard)
        except Refusal:
            if not unknown:
                raise
            return await self(replace(command, key=str(self.ids.new())), call)


class ReceiptsApart(StoredBegin):
    """Keeps the effect first, and the key it was asked for under in a commit of its own."""

    @asynccontextmanager
    async def __call__(self, actor: Actor) -> AsyncIterator[Work]:
        work = StoredWork(self.store, self.clock, self.ids, actor)
        yield work
        changes = work.changes()
        if changes.is_empty:
            return
        work.settle(await self.store.commit(changes))
        if command := current_command():
            receipt = work.receipt(command)
            await self.store.commit(Changes(writes=(replace(receipt, numbers={}),)))
        receipt_left()
        self.wake.poke()


class EventsApart(StoredBegin):
    """Keeps the new state first and tells of it afterwards, in a commit of its own."""

    @asynccontextmanager
    async def __call__(self, actor: Actor) -> AsyncIterator[Work]:
        work = StoredWork(self.store, self.clock, self.ids, actor)
        yield work
        changes = work.changes()
        if changes.is_empty:
            return
        news = tuple(write for write in changes.writes if write.table == "outbox")
        writes = tuple(write for write in changes.writes if write.table != "outbox")
        if command := current_command():
            writes = (*writes, work.receipt(command))
        work.settle(await self.store.commit(replace(changes, writes=writes)))
        receipt_left()
        if news:
            await self.store.commit(Changes(writes=news))
        self.wake.poke()


def instead_of(kind: type[Any]) -> Callable[[Any], Any]:
    """The same with other manners: one of that kind with the fields of the good one."""

    def made(good: Any) -> Any:
        names = list(type(good).__dataclass_fields__)
        return kind(**{name: getattr(good, name) for name in names})

    return made


def on_the_rows_of(kind: type[StoredOutbox]) -> Callable[[Any], Any]:
    """An outbox of that kind, on the same store."""
    return lambda good: kind(good._store, good._clock)
