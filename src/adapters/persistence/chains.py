"""Chains over any store: sealing fills in a row's place and hash, once; what is sealed of the ledger is counted into
the balances of its accounts in the same commit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from adapters.persistence.mapper import Mapper
from adapters.persistence.schema.tables import Row
from adapters.persistence.store import Changes, Insert, Store, Update, Write
from application.ports.audit import AuditTrail
from application.ports.books import LedgerChain
from application.ports.criteria import AnyOf, Between, Order, Present
from domain.audit import AuditEntry
from domain.payments import Balance, LedgerEntry
from domain.shared.chains import AlreadySealed, Head, Link, Seal, Sealable
from domain.shared.errors import Conflict

E = TypeVar("E", bound=Sealable)

_BALANCE: Mapper[Balance] = Mapper(Balance)


class StoredChain(Generic[E]):
    """The rows of one append-only table, oldest first by the column `age`."""

    def __init__(self, store: Store, mapper: Mapper[E], *, table: str, age: str) -> None:
        self._store, self._mapper, self._table, self._age = store, mapper, table, age

    async def unsealed(self, *, limit: int) -> list[E]:
        return [self._mapper.build(row) for row in await self._rows(Order(self._age), limit, position=None)]

    async def head(self) -> Head:
        rows = await self._rows(Order("position", descending=True), 1, position=Present())
        return Head(position=rows[0]["position"], hash=rows[0]["hash"]) if rows else Head()

    async def seal(self, seals: Sequence[Seal]) -> None:
        rows = {row["id"]: row for row in await self._rows(Order(), None, id=AnyOf(tuple(s.entry_id for s in seals)))}
        sealed = [_sealed(rows[seal.entry_id], seal) for seal in seals]
        writes = (*(Update(self._table, row, expected=1) for row in sealed), *await self._beside(sealed))
        try:
            await self._store.commit(Changes(locks=(f"{self._table}:seal",), writes=writes))
        except Conflict as taken:
            raise AlreadySealed from taken

    async def chain(self, *, after: int, limit: int) -> list[Link[E]]:
        rows = await self._rows(Order("position"), limit, position=Between(at_least=after + 1))
        return [Link(position=row["position"], hash=row["hash"], entry=self._mapper.build(row)) for row in rows]

    async def _beside(self, sealed: Sequence[Row]) -> Iterable[Write]:
        """What is written together with the seals."""
        return ()

    async def _rows(self, order: Order, limit: int | None, **criteria: Any) -> Sequence[Row]:
        return await self._store.load(self._table, criteria, order=order, limit=limit)


class StoredAuditTrail(StoredChain[AuditEntry], AuditTrail):
    """The rows of `audit`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Mapper(AuditEntry), table="audit", age="at")


class StoredLedgerChain(StoredChain[LedgerEntry], LedgerChain):
    """The rows of `ledger`, and of `balances`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Mapper(LedgerEntry), table="ledger", age="created_at")

    async def balances(self) -> Sequence[Balance]:
        return [_BALANCE.build(row) for row in await self._store.load("balances", {})]

    async def _beside(self, sealed: Sequence[Row]) -> Iterable[Write]:
        moved: defaultdict[UUID, list[Row]] = defaultdict(list)
        for row in sealed:
            moved[balance_id(row)].append(row)
        known = {row["id"]: row for row in await self._store.load("balances", {"id": AnyOf(tuple(moved))})}
        return [_counted(known.get(id), id, rows) for id, rows in moved.items()]


def balance_id(entry: Row) -> UUID:
    """The id of the balance that an entry is counted into: one for each account and currency, known without looking."""
    return uuid5(NAMESPACE_OID, f"balance:{entry['account']}:{entry['amount_currency']}")


def _counted(known: Row | None, id: UUID, entries: Sequence[Row]) -> Write:
    """The balance with these entries in it."""
    amount = sum(row["amount_minor"] for row in entries)
    position, updated_at = entries[-1]["position"], max(row["created_at"] for row in entries)
    if known is not None:
        updated_at, amount = max(known["updated_at"], updated_at), known["amount_minor"] + amount
        now = {"version": known["version"] + 1, "amount_minor": amount, "position": position, "updated_at": updated_at}
        return Update("balances", {**known, **now}, expected=known["version"])
    first = entries[0]
    theirs = first["books"] == "organization"
    return Insert(
        "balances",
        {
            "id": id,
            "version": 1,
            "books": first["books"],
            "organization_id": first["organization_id"] if theirs else None,
            "account": first["account"],
            "amount_minor": amount,
            "amount_currency": first["amount_currency"],
            "position": position,
            "updated_at": updated_at,
        },
    )


def _sealed(row: Row, seal: Seal) -> Row:
    return {**row, "version": 2, "position": seal.position, "hash": seal.hash}
