"""The audit trail over any store: sealing fills in a row's place and hash, once."""

from collections.abc import Sequence
from typing import Any

from adapters.persistence.mapper import Mapper
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Store, Update
from application.ports.audit import AuditTrail
from application.ports.criteria import AnyOf, Between, Order, Present
from domain.audit import AlreadySealed, AuditEntry, Head, Link, Seal
from domain.shared.errors import Conflict

_ENTRY: Mapper[AuditEntry] = Mapper(AuditEntry)


class StoredAuditTrail(AuditTrail):
    """The rows of `audit`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def unsealed(self, *, limit: int) -> list[AuditEntry]:
        return [_ENTRY.build(row) for row in await self._rows(Order("at"), limit, position=None)]

    async def head(self) -> Head:
        rows = await self._rows(Order("position", descending=True), 1, position=Present())
        return Head(position=rows[0]["position"], hash=rows[0]["hash"]) if rows else Head()

    async def seal(self, seals: Sequence[Seal]) -> None:
        rows = {row["id"]: row for row in await self._rows(Order(), None, id=AnyOf(tuple(s.entry_id for s in seals)))}
        updates = tuple(_sealed(rows[seal.entry_id], seal) for seal in seals)
        try:
            await self._store.commit(Changes(locks=("audit:seal",), writes=updates))
        except Conflict as taken:
            raise AlreadySealed from taken

    async def chain(self, *, after: int, limit: int) -> list[Link]:
        rows = await self._rows(Order("position"), limit, position=Between(at_least=after + 1))
        return [Link(position=row["position"], hash=row["hash"], entry=_ENTRY.build(row)) for row in rows]

    async def _rows(self, order: Order, limit: int | None, **criteria: Any) -> Sequence[Row]:
        return await self._store.load("audit", criteria, order=order, limit=limit)


def _sealed(row: Row, seal: Seal) -> Update:
    return Update("audit", {**row, "version": 2, "position": seal.position, "hash": seal.hash}, expected=1)
